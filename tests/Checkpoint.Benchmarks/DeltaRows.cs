using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using ZstdSharp;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>
/// Size of whole deltas over real training pairs, as the engine writes them (headers, index, digests and checksums included), against
/// zstd level 1 of before XOR after, tensor by tensor. The pairs of the fixtures are cut; APOLLO_DELTA_PAIRS names a folder of whole ones.
/// </summary>
internal static class DeltaRows
{
    /// <summary>Measures.</summary>
    public static void Measure(ResultTable table)
    {
        (string folder, string which) = Folder();
        Measure(table, "in place (APOLLO)", which, 0.34, [Pair(folder, "apollo_1e-5_10_steps", "before", "after")]);
        List<(string, string)> master = [Pair(folder, "adamw_master_3e-6_1_step", "before", "after")];
        for (int version = 1; File.Exists(Pair(folder, "sequence", "", $"v{version}").After); version++)
        {
            master.Add(Pair(folder, "sequence", $"v{version - 1}", $"v{version}"));
        }

        Measure(table, "fp32 master (AdamW)", which, 0.42, master);
    }

    private static (string Folder, string Which) Folder()
    {
        string whole = Environment.GetEnvironmentVariable("APOLLO_DELTA_PAIRS") ?? Repository.PathOf("..", "shared", "data", "deltas");
        return Directory.Exists(whole)
            ? (whole, "whole pairs")
            : (Repository.PathOf("tests", "fixtures", "deltas"), "cut pairs of the fixtures");
    }

    private static (string Before, string After) Pair(string folder, string name, string before, string after) =>
        (Path.Combine(folder, name, before + ".safetensors"), Path.Combine(folder, name, after + ".safetensors"));

    private static void Measure(
        ResultTable table,
        string kind,
        string which,
        double goal,
        IReadOnlyList<(string Before, string After)> pairs
    )
    {
        long delta = pairs.Sum(pair => DeltaBytes(pair.Before, pair.After));
        long xor = pairs.Sum(pair => XorBytes(pair.Before, pair.After));
        double ratio = delta / (double)xor;
        table.Add(
            $"delta, {kind}, {pairs.Count} real pairs",
            $"{ratio:F3} × XOR + zstd-1 ({delta} against {xor} bytes; {which})",
            $"≤ {goal:F2} ×",
            ratio <= goal
        );
    }

    private static long DeltaBytes(string before, string after)
    {
        using TempDirectory temp = new();
        string model = temp.Folder("model");
        string live = temp.Folder("live");
        File.Copy(before, Path.Combine(model, ModelDirectory.SingleName));
        File.Copy(after, Path.Combine(live, ModelDirectory.SingleName));
        SyncRequest request = new()
        {
            ModelDirectory = model,
            Handles = live,
            Source = SourceKind.Safetensors,
            FoldEvery = 0,
        };
        return SyncEngine.Run(request, NoProgress.Instance, CancellationToken.None).DeltaBytes;
    }

    private static long XorBytes(string before, string after)
    {
        using Compressor zstd = new(1);
        byte[] left = File.ReadAllBytes(before);
        byte[] right = File.ReadAllBytes(after);
        long total = 0;
        foreach (
            TensorEntry tensor in ShardReader
                .Read(Disk.Instance, Path.GetDirectoryName(before) ?? ".", Path.GetFileName(before))
                .Header.Tensors
        )
        {
            byte[] xor = new byte[tensor.ByteLength];
            for (int i = 0; i < xor.Length; i++)
            {
                xor[i] = (byte)(left[tensor.FileOffset + i] ^ right[tensor.FileOffset + i]);
            }

            total += zstd.Wrap(xor).Length;
        }

        return total;
    }
}
