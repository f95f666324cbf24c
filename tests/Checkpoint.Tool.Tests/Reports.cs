using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Tests;

/// <summary>Reports with fixed numbers, so that their texts are stable.</summary>
internal static class Reports
{
    /// <summary>A sync of a large model that changed nearly every block.</summary>
    public static SyncReport Changed { get; } =
        new()
        {
            Version = 143,
            FilesVersion = 143,
            Changed = true,
            Step = 88210,
            Label = new ConsistencyLabel(ConsistencyKind.Step, 88210),
            Source = "native CUDA",
            SourceDetail = "GPU-5f3c",
            TensorsOnDisk = 1184,
            LiveTensors = 990,
            TensorsNotLive = 15,
            NotLiveReasons = [("mtp.*", 15)],
            ModelBytes = 54_000_000_000,
            ComparedBytes = 53_800_000_000,
            ComparedElements = 26_900_000_000,
            ChangedElements = 206_000_000,
            ChangedBytes = 412_000_000,
            BlockSize = 4096,
            ComparedBlocks = 13_134_766,
            ChangedBlocks = 12_793_000,
            ChangedBlockBytes = 52_400_000_000,
            DeltaBytes = 221_000_000,
            WrittenBytes = 52_621_000_000,
            Shards =
            [
                new ShardReport(
                    "model-00001-of-00002.safetensors",
                    26_900_000_000,
                    103_000_000,
                    26_200_000_000,
                    FoldWay.Replace,
                    26_900_000_000
                ),
                new ShardReport(
                    "model-00002-of-00002.safetensors",
                    26_900_000_000,
                    103_000_000,
                    26_200_000_000,
                    FoldWay.Patch,
                    25_500_000_000
                ),
            ],
            Stages = [("plan", TimeSpan.FromSeconds(0.05)), ("scan", TimeSpan.FromSeconds(3.1)), ("fold", TimeSpan.FromSeconds(0.75))],
            Elapsed = TimeSpan.FromSeconds(3.9),
        };

    /// <summary>A sync that found nothing.</summary>
    public static SyncReport Unchanged { get; } =
        Changed with
        {
            Changed = false,
            ChangedElements = 0,
            ChangedBytes = 0,
            ChangedBlocks = 0,
            ChangedBlockBytes = 0,
            DeltaBytes = 0,
            WrittenBytes = 0,
            Shards = [new ShardReport("model-00001-of-00001.safetensors", 53_800_000_000, 0, 0, null, 0)],
            Elapsed = TimeSpan.FromSeconds(3.4),
        };

    /// <summary>A version that was kept though the files could not be brought up to date.</summary>
    public static SyncReport Unfolded { get; } =
        Changed with
        {
            FilesVersion = 142,
            Step = null,
            Label = new ConsistencyLabel(ConsistencyKind.Mixed, null, ["a.weight", "b.weight"]),
            SourceDetail = "",
            Shards = [new ShardReport("model-00001-of-00001.safetensors", 53_800_000_000, 206_000_000, 52_400_000_000, null, 0)],
            Warnings = ["version 143 kept, files at 142: shards.lock is held by another process"],
            Recovered = ["an unfinished delta was deleted; the model was at version 142"],
        };
}
