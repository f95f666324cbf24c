using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Weights;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Planning;

/// <summary>A model of random sizes under construction: disk, live, and where each tensor must be found.</summary>
internal sealed class SyntheticModel(Random random)
{
    private readonly List<(string Name, long[] Shape)> disk = [];
    private readonly Dictionary<string, (string Live, Rectangle Rectangle)> expected = [];

    internal long Heads { get; } = random.Next(1, 9) * 2;

    internal long KeyValueHeads { get; } = random.Next(1, 9);

    internal long HeadSize { get; } = random.Next(1, 33);

    internal long Hidden { get; } = random.Next(1, 200);

    internal long Intermediate { get; } = random.Next(1, 300);

    internal long Words { get; } = random.Next(1, 1000);

    internal int Layers { get; } = random.Next(1, 5);

    internal List<LiveTensor> Live { get; } = [];

    internal void Same(string diskName, string liveName, params long[] shape)
    {
        Live.Add(new LiveTensor(liveName, ElementType.BF16, shape));
        Piece(diskName, liveName, shape, [.. shape.Select(_ => 0L)], shape);
    }

    /// <summary>Rows of the vocabulary, padded as vLLM pads.</summary>
    internal void Vocabulary(string diskName, string liveName)
    {
        Live.Add(new LiveTensor(liveName, ElementType.BF16, [(Words + 63) / 64 * 64, Hidden]));
        Piece(diskName, liveName, [Words, Hidden], [0, 0], [Words, Hidden]);
    }

    /// <summary>Parts that stand one after the other.</summary>
    internal void Merge(string liveName, long? columns, params (string Disk, long Rows)[] parts)
    {
        long[] tail = columns is { } width ? [width] : [];
        long row = 0;
        foreach ((string name, long rows) in parts)
        {
            Piece(name, liveName, [rows, .. tail], [row, .. tail.Select(_ => 0L)], [rows, .. tail]);
            row += rows;
        }

        Live.Add(new LiveTensor(liveName, ElementType.BF16, [row, .. tail]));
    }

    internal void Piece(string diskName, string liveName, long[] shape, long[] start, long[] length)
    {
        disk.Add((diskName, shape));
        expected[diskName] = (liveName, new Rectangle(start, length));
    }

    internal void AssertPlanned(string architecture)
    {
        // The order in the file says nothing; shuffle it.
        ModelBuilder builder = new();
        foreach ((string name, long[] shape) in disk.OrderBy(_ => random.Next()))
        {
            builder.Add(name, ElementType.BF16, shape, $"model-{random.Next(3)}.safetensors");
        }

        ModelConfig config = new()
        {
            Architectures = [architecture],
            TieWordEmbeddings = false,
            AttentionHeads = Heads,
            KeyValueHeads = KeyValueHeads,
        };

        SyncPlan plan = Planner.Plan(builder.Build(), config, Live, new Dictionary<string, string>(), new PlanOptions(TrustMapping: true));

        Assert.Empty(plan.Mismatches);
        Assert.Empty(plan.NotLive);
        Assert.Equal(
            expected.OrderBy(row => row.Key).Select(row => (row.Key, row.Value.Live, row.Value.Rectangle)),
            plan.Tensors.OrderBy(tensor => tensor.Entry.Name)
                .Select(tensor => (tensor.Entry.Name, tensor.Regions.Single().Live.Name, tensor.Regions.Single().LiveRectangle))
        );
    }
}
