using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Weights;
using CsCheck;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Planning;

/// <summary>
/// Cuts over ranks at random sizes. Every live row is labelled here with the row on disk that vLLM would load into it, and every planned
/// element must carry the label of its place on disk.
/// </summary>
public sealed class RankRuleTests
{
    [Fact]
    public void Every_planned_row_is_the_row_that_the_rank_would_have_loaded() =>
        Gen.Int.Sample(seed => Check(new Random(seed)), iter: 200);

    [Fact]
    public void Key_heads_that_do_not_divide_over_the_ranks_are_refused()
    {
        ModelLayout disk = new ModelBuilder()
            .Add("model.layers.0.self_attn.q_proj.weight", 12, 2)
            .Add("model.layers.0.self_attn.k_proj.weight", 6, 2)
            .Add("model.layers.0.self_attn.v_proj.weight", 6, 2)
            .Build();
        ModelConfig config = Config(heads: 6, keyValueHeads: 3);
        List<LiveTensor> live = [.. Ranks(2, rank => new("model.layers.0.self_attn.qkv_proj.weight", ElementType.BF16, [12, 2], rank))];

        SyncPlan plan = Planner.Plan(disk, config, live, new Dictionary<string, string>(), new PlanOptions());

        Assert.Equal(["shape", "shape", "shape"], plan.Mismatches.Select(row => row.Kind));
        Assert.Empty(plan.Tensors);
    }

    private static void Check(Random random)
    {
        int width = 1 << random.Next(1, 4);
        long keyValueHeads = 1L << random.Next(5);
        long heads = Math.Max(width, keyValueHeads) * random.Next(1, 3);
        long headSize = random.Next(1, 5);
        long words = random.Next(1, 400);
        Dictionary<string, long> diskRows = new()
        {
            ["model.embed_tokens.weight"] = words,
            ["model.layers.0.self_attn.q_proj.weight"] = heads * headSize,
            ["model.layers.0.self_attn.k_proj.weight"] = keyValueHeads * headSize,
            ["model.layers.0.self_attn.v_proj.weight"] = keyValueHeads * headSize,
        };
        List<(LiveTensor Tensor, List<(string Disk, long Row)> Labels)> live = [];
        for (int rank = 0; rank < width; rank++)
        {
            live.Add(Labelled("model.embed_tokens.weight", rank, Words(words, width, rank)));
            live.Add(Labelled("model.layers.0.self_attn.qkv_proj.weight", rank, Attention(heads, keyValueHeads, headSize, width, rank)));
        }

        ModelBuilder builder = new();
        foreach ((string name, long rows) in diskRows)
        {
            builder.Add(name, rows, 3);
        }

        SyncPlan plan = Planner.Plan(
            builder.Build(),
            Config(heads, keyValueHeads),
            [.. live.Select(row => row.Tensor)],
            new Dictionary<string, string>(),
            new PlanOptions()
        );

        Assert.Empty(plan.Mismatches);
        Assert.Equal(diskRows.Keys.Order(), plan.Tensors.Select(tensor => tensor.Entry.Name).Order());
        foreach (PlannedTensor tensor in plan.Tensors)
        {
            foreach (PlannedRegion region in tensor.Regions)
            {
                List<(string Disk, long Row)> labels = live.Find(row => ReferenceEquals(row.Tensor, region.Live)).Labels;
                Assert.Equal(
                    Enumerable
                        .Range(0, (int)region.FileRectangle.Length[0])
                        .Select(i => (tensor.Entry.Name, region.FileRectangle.Start[0] + i)),
                    labels.Skip((int)region.LiveRectangle.Start[0]).Take((int)region.LiveRectangle.Length[0])
                );
            }
        }
    }

    private static (LiveTensor, List<(string, long)>) Labelled(string name, int rank, List<(string, long)> labels) =>
        (new LiveTensor(name, ElementType.BF16, [labels.Count, 3], rank), labels);

    /// <summary>The vocabulary is padded to 64 rows, then cut evenly.</summary>
    private static List<(string, long)> Words(long words, int width, int rank)
    {
        long rows = (words + 63) / 64 * 64 / width;
        return
        [
            .. Enumerable
                .Range(0, (int)rows)
                .Select(i => rank * rows + i < words ? ("model.embed_tokens.weight", rank * rows + i) : ("padding", 0)),
        ];
    }

    /// <summary>Each rank holds its query heads, then the key heads that they need, then the value heads.</summary>
    private static List<(string, long)> Attention(long heads, long keyValueHeads, long headSize, int width, int rank)
    {
        List<(string, long)> labels = [];
        foreach ((string module, long all) in new[] { ("q_proj", heads), ("k_proj", keyValueHeads), ("v_proj", keyValueHeads) })
        {
            for (long head = 0; head < all; head++)
            {
                // A head stands on one rank, or on width / all neighbours where there are more ranks than heads.
                bool isHere = all >= width ? head / (all / width) == rank : head == rank / (width / all);
                for (long i = 0; isHere && i < headSize; i++)
                {
                    labels.Add(($"model.layers.0.self_attn.{module}.weight", head * headSize + i));
                }
            }
        }

        return labels;
    }

    private static ModelConfig Config(long heads, long keyValueHeads) =>
        new()
        {
            Architectures = ["Qwen3ForCausalLM"],
            TieWordEmbeddings = true,
            AttentionHeads = heads,
            KeyValueHeads = keyValueHeads,
        };

    private static IEnumerable<LiveTensor> Ranks(int count, Func<int, LiveTensor> make) => Enumerable.Range(0, count).Select(make);
}
