namespace ApolloCheckpoint.Engine;

/// <summary>How a shard is brought up to a version.</summary>
public enum FoldWay
{
    /// <summary>The cheaper of the two, shard by shard.</summary>
    Auto,

    /// <summary>A redo file of absolute values, then writes in place.</summary>
    Patch,

    /// <summary>A new file beside it, then a rename.</summary>
    Replace,
}
