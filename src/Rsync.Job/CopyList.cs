using System.Security.Cryptography;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Rsync;

/// <summary>
/// The SHA-256 sums of everything a copy consists of, made while the shards are held still: a shard's from the read that proves every
/// chunk against the recorded digests, so that what the far side finds equal is what this program recorded.
/// </summary>
internal static class CopyList
{
    /// <summary>Files of the copy, names from the model directory, by name.</summary>
    /// <exception cref="CheckpointException">VerificationFailed: a shard is not what was recorded. DiskReadFailed.</exception>
    internal static IReadOnlyList<(string Name, string Sha256)> Make(IDisk disk, HeldModel held, CancellationToken cancel)
    {
        Dictionary<string, Shard> shards = held.Model.Layout.Shards.ToDictionary(shard => shard.FileName, StringComparer.Ordinal);
        string[] names = [.. FilesIn(disk, held.Model.Path, "").Concat(shards.Keys).Distinct(StringComparer.Ordinal)];
        (string Name, string Sha256)[] sums = new (string, string)[names.Length];
        ParallelOptions few = new() { MaxDegreeOfParallelism = Math.Min(4, Environment.ProcessorCount), CancellationToken = cancel };
        try
        {
            Parallel.For(
                0,
                names.Length,
                few,
                i =>
                {
                    byte[] sum = shards.TryGetValue(names[i], out Shard? shard)
                        ? held.Sha256Of(shard, cancel)
                        : Sha256Of(disk, Path.Combine(held.Model.Path, names[i]));
                    sums[i] = (names[i], Convert.ToHexStringLower(sum));
                }
            );
        }
        catch (AggregateException e) when (e.InnerException is { } first)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
        }

        return [.. sums.OrderBy(sum => sum.Name, StringComparer.Ordinal)];
    }

    /// <summary>SHA-256 of a small file as it is.</summary>
    internal static byte[] Sha256Of(IDisk disk, string path)
    {
        using IDiskFile file = disk.Open(path);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[1 << 20];
        long fileOffset = 0;
        while (file.Read(buffer, fileOffset) is > 0 and int read)
        {
            hash.AppendData(buffer, 0, read);
            fileOffset += read;
        }

        return hash.GetHashAndReset();
    }

    /// <summary>Regular files that rsync ships besides the shards; links are left to rsync, and what changes meanwhile to its own list.</summary>
    private static IEnumerable<string> FilesIn(IDisk disk, string root, string folder)
    {
        foreach (string name in disk.List(Path.Combine(root, folder)))
        {
            string path = Path.Combine(folder, name);
            FileEntryKind? kind = disk.Stat(Path.Combine(root, path))?.Kind;
            if (kind == FileEntryKind.Folder && name != RsyncArguments.PartialFolder && IsShipped(path, isFolder: true))
            {
                foreach (string inside in FilesIn(disk, root, path))
                {
                    yield return inside;
                }
            }
            else if (kind == FileEntryKind.File && IsShipped(path, isFolder: false))
            {
                yield return path;
            }
        }
    }

    /// <summary>The same choice as the filters of <see cref="RsyncArguments"/>; a test compares the two.</summary>
    private static bool IsShipped(string path, bool isFolder)
    {
        string[] parts = path.Split('/');
        if (parts[0] != ".apollo")
        {
            return !path.EndsWith(".folding", StringComparison.Ordinal) && !path.EndsWith(".restoring", StringComparison.Ordinal);
        }

        bool isJournal = parts.Length == 1 || parts[1] == "journal" || parts[1].StartsWith("journal.before-", StringComparison.Ordinal);
        return isJournal
            && (isFolder ? parts.Length <= 2 : parts is [_, _, not ".writing.delta"] && path.EndsWith(".delta", StringComparison.Ordinal));
    }
}
