namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>How an operation fails.</summary>
public enum DiskFaultKind
{
    /// <summary>EIO; nothing is done. A flush that fails loses what it should have made durable.</summary>
    IoError,

    /// <summary>ENOSPC, where the operation needs space; others succeed.</summary>
    NoSpace,

    /// <summary>EIO after the first half of a write; for other operations as <see cref="IoError"/>.</summary>
    ShortWrite,
}
