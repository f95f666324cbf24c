namespace ApolloCheckpoint.Engine.Planning;

/// <summary>What of a live tensor a tensor on disk is.</summary>
internal enum LiveSlot
{
    /// <summary>All of it.</summary>
    Whole,

    /// <summary>Its first rows; the rest is padding.</summary>
    Vocabulary,

    /// <summary>The rows of one part of a merge.</summary>
    Merged,

    /// <summary>One expert, whole or the gate's or up's rows of it.</summary>
    Expert,
}
