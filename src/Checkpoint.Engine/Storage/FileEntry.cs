namespace ApolloCheckpoint.Engine.Storage;

/// <summary>What stat says of a name.</summary>
/// <param name="Kind">File, folder, link, or something else.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Links">Number of hard links.</param>
/// <param name="Device">Id of the device.</param>
/// <param name="Inode">Number of the inode.</param>
/// <param name="ModifiedNs">Time of the last change of the content, nanoseconds since 1970.</param>
/// <param name="Owner">User id.</param>
/// <param name="Mode">Permission bits, 12 of them (with setuid, setgid and sticky).</param>
public readonly record struct FileEntry(
    FileEntryKind Kind,
    long Length,
    long Links,
    long Device,
    long Inode,
    long ModifiedNs,
    uint Owner,
    int Mode
);
