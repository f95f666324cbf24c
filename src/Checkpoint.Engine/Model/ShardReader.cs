using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Model;

/// <summary>Reads the header of one shard and notes why the file may not be written, if it may not.</summary>
internal static class ShardReader
{
    /// <exception cref="CheckpointException">ShardMissing, HeaderMalformed.</exception>
    internal static Shard Read(IDisk disk, string modelPath, string fileName)
    {
        string path = System.IO.Path.Combine(modelPath, fileName);
        if (disk.Stat(path) is not { } entry)
        {
            throw new CheckpointException(
                CheckpointError.ShardMissing,
                $"{ModelDirectory.IndexName} names {fileName}, which is not in {modelPath}",
                "copy the missing file back, or restore it: apollo-checkpoint restore"
            );
        }

        string? problem = entry switch
        {
            { Kind: FileEntryKind.Link } => "is a symbolic link",
            { Kind: FileEntryKind.File, Links: > 1 } => $"has {entry.Links} hard links",
            { Kind: FileEntryKind.File } => null,
            _ => throw new CheckpointException(CheckpointError.ShardMissing, $"{path} is not a file", "check the model directory"),
        };
        string real = entry.Kind == FileEntryKind.Link ? Resolve(disk, modelPath, fileName) : path;
        using IDiskFile file = disk.Open(real);
        long length = file.Length;
        try
        {
            Span<byte> prefix = stackalloc byte[8];
            file.Read(prefix, 0);
            byte[] header = new byte[SafetensorsHeader.ReadPrefix(prefix, length)];
            file.Read(header, 0);
            return new Shard(fileName, path, length, SafetensorsHeader.Parse(header, length), problem);
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.HeaderMalformed)
        {
            throw new CheckpointException(
                e.Error,
                $"shard {fileName}: {e.Message}",
                "copy the file again from where the model came from, or from the off-site copy",
                e
            );
        }
    }

    /// <summary>The path of the file itself: a shard may be a link into a hub cache, and is read through it, never written.</summary>
    internal static string RealPath(IDisk disk, string path) =>
        disk.Stat(path) is { Kind: FileEntryKind.Link } ? disk.ResolveLink(path) : path;

    private static string Resolve(IDisk disk, string modelPath, string fileName)
    {
        try
        {
            return disk.ResolveLink(System.IO.Path.Combine(modelPath, fileName));
        }
        catch (FileNotFoundException e)
        {
            throw new CheckpointException(
                CheckpointError.ShardMissing,
                $"{fileName} in {modelPath} is a symbolic link that leads nowhere",
                "download the model again, or put the file itself in the place of the link",
                e
            );
        }
    }
}
