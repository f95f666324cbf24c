using System.Security.Cryptography;
using System.Text;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Rsync;

/// <summary>
/// Fetches a random part of the current copy back and compares it with what was recorded. What it trusts, link by link:
/// <code>
/// offsite.json here → SHA256SUMS there → digests.bin there → chunks of the shards there; a delta, whole, by its sum
/// </code>
/// </summary>
internal sealed class RestoreDrill(OffsiteOptions options, IDisk disk, TimeProvider time, FarSide far)
{
    private long fetched;

    /// <summary>Runs it.</summary>
    /// <param name="trusted">SHA-256 of the copy's list of sums, by snapshot, as this machine noted it; null when it noted none.</param>
    /// <param name="cancel">Stops it.</param>
    internal async Task<DrillReport> RunAsync((string Snapshot, string SumsSha256)? trusted, CancellationToken cancel)
    {
        long started = time.GetTimestamp();
        if (await new FarJournal(options, far).LookAsync(cancel) is not (string snapshot, _, _))
        {
            throw new CheckpointException(
                CheckpointError.OffsiteForeign,
                $"{options.Target} holds no copy of the model yet",
                "make one first: apollo-checkpoint offsite --once"
            );
        }

        byte[] list = await FetchWholeAsync(snapshot, FarScripts.SumsName, cancel);
        if (trusted is { } noted && noted.Snapshot == snapshot && noted.SumsSha256 != Sha256(list))
        {
            throw Differs($"{FarScripts.SumsName} of snapshot {snapshot} is not the list that was sent");
        }

        Dictionary<string, string> sums = ParseSums(Encoding.UTF8.GetString(list));
        RecordedDigests digests = await FetchDigestsAsync(snapshot, sums, cancel);
        int[] ordinals = Choose(digests.Layout.ChunkCount);
        await FetchChunksAsync(snapshot, digests, ordinals, cancel);
        long? delta = await FetchDeltaAsync(snapshot, sums, cancel);
        return new DrillReport(
            options.Target.ToString(),
            snapshot,
            digests.Version,
            ordinals.Length,
            digests.Layout.ChunkCount,
            fetched,
            delta,
            time.GetElapsedTime(started)
        );
    }

    private async Task<RecordedDigests> FetchDigestsAsync(string snapshot, Dictionary<string, string> sums, CancellationToken cancel)
    {
        const string Name = ".apollo/digests.bin";
        byte[] bytes = await FetchWholeAsync(snapshot, Name, cancel);
        RequireSum(sums, Name, bytes);
        string path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, bytes, cancel);
            ModelLayout layout = ModelDirectory.Open(disk, options.ModelDirectory).Layout;
            return RecordedDigests.TryRead(disk, layout, path)
                ?? throw Differs($"{Name} there is damaged, or of a model with other tensors");
        }
        finally
        {
            File.Delete(path);
        }
    }

    private int[] Choose(int count)
    {
        int[] all = [.. Enumerable.Range(0, count)];
        Random.Shared.Shuffle(all);
        return [.. all.Take(options.DrillChunks).Order()];
    }

    private async Task FetchChunksAsync(string snapshot, RecordedDigests digests, int[] ordinals, CancellationToken cancel)
    {
        Chunk[] chunks = [.. ordinals.Select(ordinal => digests.Layout[ordinal])];
        string script = FarScripts.Fetch(
            options,
            snapshot,
            chunks.Select(chunk => (chunk.Shard.FileName, chunk.FileOffset, (long)chunk.ByteLength))
        );
        byte[] buffer = new byte[Math.Max(1, digests.Layout.LargestChunkBytes)];
        CheckpointException? wrong = null;
        await far.FetchAsync(
            script,
            async (output, stop) =>
            {
                foreach (Chunk chunk in chunks)
                {
                    Memory<byte> bytes = buffer.AsMemory(0, chunk.ByteLength);
                    int read = await output.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, stop);
                    fetched += read;
                    if (read < bytes.Length || !digests.Holds(chunk.Ordinal, bytes.Span))
                    {
                        wrong ??= Differs(
                            $"{chunk.Shard.FileName}, tensor \"{chunk.Tensor.Name}\", bytes {chunk.FileOffset} to {chunk.FileOffset + chunk.ByteLength} of snapshot {snapshot}"
                        );
                    }
                }
            },
            cancel
        );
        if (wrong is not null)
        {
            throw wrong;
        }
    }

    /// <returns>The version of the delta that was fetched, or null when the copy was made without any.</returns>
    private async Task<long?> FetchDeltaAsync(string snapshot, Dictionary<string, string> sums, CancellationToken cancel)
    {
        string[] names = [.. sums.Keys.Where(name => name.StartsWith(".apollo/journal/", StringComparison.Ordinal))];
        if (names.Length == 0)
        {
            return null;
        }

        string name = names[Random.Shared.Next(names.Length)];
        RequireSum(sums, name, await FetchWholeAsync(snapshot, name, cancel));
        return Engine.Journaling.State.StatePaths.VersionOf(Path.GetFileName(name));
    }

    private async Task<byte[]> FetchWholeAsync(string snapshot, string name, CancellationToken cancel)
    {
        using MemoryStream bytes = new();
        await far.FetchAsync(
            FarScripts.Fetch(options, snapshot, [(name, 0, -1)]),
            (output, stop) => output.CopyToAsync(bytes, stop),
            cancel
        );
        fetched += bytes.Length;
        return bytes.ToArray();
    }

    private void RequireSum(Dictionary<string, string> sums, string name, byte[] bytes)
    {
        if (sums.GetValueOrDefault(name) != Sha256(bytes))
        {
            throw Differs($"{name} there has not the sum that was recorded when it was sent");
        }
    }

    private CheckpointException Differs(string what) =>
        new(
            CheckpointError.OffsiteDiffers,
            $"restore drill from {options.Target}: {what}: not what was recorded",
            $"check the disk of {far.Name}; the next nightly copy finds such files and sends them again"
        );

    private static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>Lines of sha256sum; names that it had to escape are none of those that a drill asks for.</summary>
    private static Dictionary<string, string> ParseSums(string text) =>
        text.Split('\n')
            .Where(line => line.Length > 66 && line[64..66] == "  ")
            .GroupBy(line => line[66..], StringComparer.Ordinal)
            .ToDictionary(lines => lines.Key, lines => lines.First()[..64], StringComparer.Ordinal);
}
