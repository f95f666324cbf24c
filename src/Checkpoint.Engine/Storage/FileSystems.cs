namespace ApolloCheckpoint.Engine.Storage;

/// <summary>Which file systems cannot be trusted with a crash-safe journal, and which are no disk at all.</summary>
internal static class FileSystems
{
    /// <summary>
    /// f_type of statfs → name, for file systems whose flush or locks end at another machine or at a program. Numbers: statfs(2) and the
    /// kernel's include/uapi/linux/magic.h.
    /// </summary>
    private static readonly Dictionary<long, string> Unfit = new()
    {
        [0x6969] = "nfs is a network file system",
        [0x517B] = "smb is a network file system",
        [0xFF534D42] = "cifs is a network file system",
        [0xFE534D42] = "smb2 is a network file system",
        [0x01021997] = "9p is a network file system",
        [0x00C36400] = "ceph is a network file system",
        [0x5346414F] = "afs is a network file system",
        [0x73757245] = "coda is a network file system",
        [0x0BD00BD0] = "lustre is a network file system",
        [0x47504653] = "gpfs is a network file system",
        [0x19830326] = "fhgfs (BeeGFS) is a network file system",
        [0x65735546] = "fuse is a file system in a program",
    };

    /// <summary>Whether a file system of that type lives in memory: tmpfs, ramfs (magic.h as above).</summary>
    internal static bool IsInMemory(long type) => (type & 0xFFFFFFFF) is 0x01021994 or 0x858458F6;

    /// <summary>Why, or null when nothing is known against it.</summary>
    internal static string? UnfitReason(long type) => Unfit.GetValueOrDefault(type & 0xFFFFFFFF);
}
