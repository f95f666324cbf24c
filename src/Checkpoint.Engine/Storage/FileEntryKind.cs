namespace ApolloCheckpoint.Engine.Storage;

/// <summary>Kinds of directory entries.</summary>
public enum FileEntryKind
{
    /// <summary>A regular file.</summary>
    File,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A symbolic link.</summary>
    Link,

    /// <summary>A device, socket or pipe.</summary>
    Other,
}
