using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>Replaces a small file in one step: after any crash the name holds the whole old or the whole new content.</summary>
public static class AtomicFile
{
    /// <summary>Suffix of the file while it is written; recovery deletes what a crash left.</summary>
    internal const string WritingSuffix = ".writing";

    /// <summary>Writes beside, flushes, renames, flushes the folder.</summary>
    /// <exception cref="CheckpointException">15xx; the old content is still there.</exception>
    public static void Replace(IDisk disk, string path, ReadOnlySpan<byte> content)
    {
        string writing = path + WritingSuffix;
        if (disk.Stat(writing) is not null)
        {
            disk.Delete(writing);
        }

        using (IDiskFile file = disk.Create(writing))
        {
            file.Write(content, 0);
            file.Flush();
        }

        disk.Rename(writing, path);
        disk.FlushFolder(Path.GetDirectoryName(path) ?? ".");
    }

    /// <summary>The whole content, or null when there is no such file or it is longer than a sane one.</summary>
    public static byte[]? TryRead(IDisk disk, string path, long maxBytes)
    {
        if (disk.Stat(path) is not { Kind: FileEntryKind.File } entry || entry.Length > maxBytes)
        {
            return null;
        }

        using IDiskFile file = disk.Open(path);
        byte[] content = new byte[entry.Length];
        return content[..file.Read(content, 0)];
    }
}
