namespace ApolloCheckpoint.Engine.Storage;

/// <summary>Reads the kernel's statx answer.</summary>
internal static class FileEntries
{
    /// <summary>The entry that the kernel described.</summary>
    internal static FileEntry From(Libc.StatxBuffer stat)
    {
        FileEntryKind kind = (stat.Mode & 0xF000) switch
        {
            0x8000 => FileEntryKind.File,
            0x4000 => FileEntryKind.Folder,
            0xA000 => FileEntryKind.Link,
            _ => FileEntryKind.Other,
        };
        long device = ((long)stat.DeviceMajor << 32) | stat.DeviceMinor;
        long modified = stat.Modified.Seconds * 1_000_000_000 + stat.Modified.Nanoseconds;
        return new FileEntry(kind, (long)stat.Size, stat.Links, device, (long)stat.Inode, modified, stat.Owner, stat.Mode & 0xFFF);
    }
}
