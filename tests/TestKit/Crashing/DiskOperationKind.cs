namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>The operations of a disk that change something.</summary>
public enum DiskOperationKind
{
    Create,
    Write,
    Flush,
    Allocate,
    SetLength,
    Rename,
    Delete,
    CreateFolder,
    DeleteFolder,
    FlushFolder,
}
