using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.History;

/// <summary>
/// Copies what a model directory holds beside its shards (config, tokenizer, code, folders), each file durable. Links are followed, so
/// that the copy stands alone; our own folder and files being written are left out.
/// </summary>
/// <param name="disk">The disk.</param>
/// <param name="shards">File names that are not copied from the top folder.</param>
internal sealed class FolderCopy(IDisk disk, IEnumerable<string> shards)
{
    private const int MaxDepth = 16;
    private const int WindowBytes = 1 << 20;
    private readonly HashSet<string> leftOut = new(shards, StringComparer.Ordinal) { ".apollo", UnfinishedCopy.Mark };
    private readonly List<string> skipped = [];

    /// <summary>Names that could not be copied, and why, a sentence each.</summary>
    internal IReadOnlyList<string> Skipped => skipped;

    /// <summary>Copies into an existing folder.</summary>
    /// <returns>Bytes written.</returns>
    internal long Run(string from, string to, CancellationToken cancellation) => Copy(from, to, 0, cancellation);

    private long Copy(string from, string to, int depth, CancellationToken cancellation)
    {
        long written = 0;
        foreach (string name in disk.List(from))
        {
            cancellation.ThrowIfCancellationRequested();
            if (depth > 0 || !(leftOut.Contains(name) || name.EndsWith(".folding", StringComparison.Ordinal)))
            {
                written += CopyOne(Path.Combine(from, name), Path.Combine(to, name), depth, cancellation);
            }
        }

        disk.FlushFolder(to);
        return written;
    }

    private long CopyOne(string from, string to, int depth, CancellationToken cancellation)
    {
        string? real = Resolve(from);
        switch (real is null ? null : disk.Stat(real)?.Kind)
        {
            case FileEntryKind.File when real is not null:
                return CopyFile(real, to, cancellation);
            case FileEntryKind.Folder when real is not null && depth < MaxDepth:
                disk.CreateFolder(to);
                return Copy(real, to, depth + 1, cancellation);
            default:
                skipped.Add($"{from} was not copied: it leads nowhere, is nested too deep, or is no file");
                return 0;
        }
    }

    private string? Resolve(string path)
    {
        try
        {
            return disk.Stat(path)?.Kind == FileEntryKind.Link ? disk.ResolveLink(path) : path;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private long CopyFile(string from, string to, CancellationToken cancellation)
    {
        using IDiskFile source = disk.Open(from);
        using IDiskFile target = disk.Create(to);
        byte[] window = new byte[WindowBytes];
        long offset = 0;
        int length;
        while ((length = source.Read(window, offset)) > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            target.Write(window.AsSpan(0, length), offset);
            offset += length;
        }

        disk.CopyAccess(from, to);
        target.Flush();
        return offset;
    }
}
