namespace ApolloCheckpoint.Engine;

/// <summary>How the bytes of a version are made to belong to one step of the trainer (DESIGN: consistency of the source).</summary>
public enum ConsistencyMode
{
    /// <summary>By the state page where there is one, else by two passes; a trainer that never holds still gives "mixed".</summary>
    Auto,

    /// <summary>As auto, but "mixed" is refused.</summary>
    Strict,

    /// <summary>Hold the trainer at its next step while reading.</summary>
    Lock,

    /// <summary>One pass, no promise.</summary>
    None,
}
