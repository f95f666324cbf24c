using System.Text.Json;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Planning;

/// <summary>One recorded rectangle: what the bytes of a running vLLM said.</summary>
internal sealed record RecordedPiece(
    string DiskName,
    int Rank,
    string Live,
    IReadOnlyList<string> Aliases,
    Rectangle LiveRectangle,
    Rectangle FileRectangle,
    bool Replica,
    bool Unused
);

/// <summary>A file of tests/fixtures/layouts or layouts-parallel: disk, live and map.</summary>
internal sealed class RecordedLayout
{
    private readonly JsonElement root;

    internal RecordedLayout(string folder, string name)
    {
        string path = Path.Combine(Repository.Root, "tests", "fixtures", folder, $"{name}.json");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        root = document.RootElement.Clone();
        Config = ModelConfig.Parse(JsonSerializer.SerializeToUtf8Bytes(root.GetProperty("config")));
        Disk = ReadDisk();
        Live = ReadLive();
        Pieces = ReadMap();
    }

    internal ModelConfig Config { get; }

    internal ModelLayout Disk { get; }

    internal IReadOnlyList<LiveTensor> Live { get; }

    internal IReadOnlyList<RecordedPiece> Pieces { get; }

    internal IReadOnlyDictionary<string, string> NotLive =>
        root.GetProperty("not_live")
            .EnumerateArray()
            .ToDictionary(row => row.GetProperty("hf").GetString()!, row => row.GetProperty("why").GetString()!);

    /// <summary>The live tensors as a hook publishes them, with the recorded rectangles as parts.</summary>
    internal IReadOnlyList<LiveTensor> LiveWithParts(string proof = "full")
    {
        ILookup<(int, string), RecordedPiece> byLive = Pieces.ToLookup(piece => (piece.Rank, piece.Live));
        return
        [
            .. Live.Select(live =>
                live with
                {
                    Parts =
                    [
                        .. byLive[(live.Rank, live.Name)]
                            .Select(piece => new LivePart(
                                piece.DiskName,
                                piece.LiveRectangle,
                                piece.FileRectangle,
                                proof,
                                piece.Unused,
                                piece.Replica
                            )),
                    ],
                }
            ),
        ];
    }

    internal static TheoryData<string> Names(string folder)
    {
        TheoryData<string> names = [];
        foreach (string path in Directory.GetFiles(Path.Combine(Repository.Root, "tests", "fixtures", folder), "*.json").Order())
        {
            names.Add(Path.GetFileNameWithoutExtension(path));
        }

        return names;
    }

    private ModelLayout ReadDisk()
    {
        ModelBuilder builder = new();
        foreach (JsonElement shard in root.GetProperty("disk").GetProperty("shards").EnumerateArray())
        {
            foreach (JsonElement tensor in shard.GetProperty("tensors").EnumerateArray())
            {
                builder.Add(
                    tensor.GetProperty("name").GetString()!,
                    Type(tensor),
                    Numbers(tensor.GetProperty("shape")),
                    shard.GetProperty("file").GetString()!
                );
            }
        }

        return builder.Build();
    }

    private List<LiveTensor> ReadLive()
    {
        if (root.TryGetProperty("ranks", out JsonElement ranks))
        {
            return [.. ranks.EnumerateArray().SelectMany(rank => ReadLive(rank, rank.GetProperty("rank").GetInt32()))];
        }

        return [.. ReadLive(root, 0)];
    }

    private static IEnumerable<LiveTensor> ReadLive(JsonElement owner, int rank) =>
        owner
            .GetProperty("live")
            .EnumerateArray()
            .Select(row => new LiveTensor(row.GetProperty("name").GetString()!, Type(row), Numbers(row.GetProperty("shape")), rank)
            {
                StorageKey =
                    $"rank {rank} storage {row.GetProperty("storage").GetInt32()} byte {row.GetProperty("byte_offset").GetInt64()}",
            });

    private List<RecordedPiece> ReadMap()
    {
        Dictionary<string, IReadOnlyList<long>> diskShapes = Disk
            .Shards.SelectMany(shard => shard.Header.Tensors)
            .ToDictionary(entry => entry.Name, entry => entry.Shape);
        Dictionary<string, IReadOnlyList<long>> liveShapes = Live.Where(live => live.Rank == 0)
            .ToDictionary(live => live.Name, live => live.Shape);
        return
        [
            .. root.GetProperty("map")
                .EnumerateArray()
                .Select(row =>
                {
                    string disk = row.GetProperty("hf").GetString()!;
                    string live = row.GetProperty("live").GetString()!;
                    bool parallel = row.TryGetProperty("file_rect", out JsonElement file);
                    return new RecordedPiece(
                        disk,
                        parallel ? row.GetProperty("rank").GetInt32() : 0,
                        live,
                        row.TryGetProperty("aliases", out JsonElement aliases)
                            ? [.. aliases.EnumerateArray().Select(a => a.GetString()!)]
                            : [],
                        parallel ? Rect(row.GetProperty("live_rect")) : RunOf(row, liveShapes[live]),
                        parallel ? Rect(file) : Rectangle.Whole(diskShapes[disk]),
                        row.TryGetProperty("replica_of", out _),
                        row.TryGetProperty("unused", out JsonElement unused) && unused.GetBoolean()
                    );
                }),
        ];
    }

    /// <summary>live[index..., start:start+length] along dimension dim, the dimensions after it whole.</summary>
    private static Rectangle RunOf(JsonElement row, IReadOnlyList<long> shape)
    {
        long[] index = Numbers(row.GetProperty("index"));
        long[] start = [.. index, row.GetProperty("start").GetInt64()];
        long[] length = [.. index.Select(_ => 1L), row.GetProperty("length").GetInt64()];
        return new Rectangle([.. start, .. shape.Skip(start.Length).Select(_ => 0L)], [.. length, .. shape.Skip(length.Length)]);
    }

    private static Rectangle Rect(JsonElement row) => new(Numbers(row.GetProperty("start")), Numbers(row.GetProperty("length")));

    private static long[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(number => number.GetInt64())];

    private static ElementType Type(JsonElement row) =>
        ElementTypes.TryParse(row.GetProperty("dtype").GetString(), out ElementType type)
            ? type
            : throw new InvalidDataException(row.GetRawText());
}
