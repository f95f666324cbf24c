using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Model;

public class ModelLayoutTests
{
    private static readonly TinyTensor[] First =
    [
        new("z", ElementType.BF16, 3 << 20),
        new("empty", ElementType.F32, 0, 4),
        new("a", ElementType.F32),
    ];

    private static readonly TinyTensor[] Second = [new("m", ElementType.U8, 5)];

    [Fact]
    public void Ordinals_count_over_shards_by_name_then_tensors_by_offset_then_parts()
    {
        ModelLayout layout = new([ShardOf("b.safetensors", Second), ShardOf("a.safetensors", First)]);
        Assert.Equal(["a.safetensors", "b.safetensors"], layout.Shards.Select(shard => shard.FileName));
        Assert.Equal(
            [("z", 0L), ("z", 1L << 20), ("z", 2L << 20), ("a", 0L), ("m", 0L)],
            Enumerable.Range(0, layout.ChunkCount).Select(ordinal => (layout[ordinal].Tensor.Name, layout[ordinal].FirstUnit))
        );
        Assert.Equal(((0, 4), (4, 1)), (layout.ChunksOf(layout.Shards[0]), layout.ChunksOf(layout.Shards[1])));
        Assert.Equal(((3, 1), (0, 0)), (layout.ChunksOf(Tensor(layout, "a")), layout.ChunksOf(Tensor(layout, "empty"))));
    }

    [Fact]
    public void Chunks_cover_every_data_byte_once()
    {
        ModelLayout layout = new([ShardOf("a.safetensors", First), ShardOf("b.safetensors", Second)]);
        foreach (Shard shard in layout.Shards)
        {
            (int first, int count) = layout.ChunksOf(shard);
            long next = shard.Header.DataStart;
            foreach (Chunk chunk in Enumerable.Range(first, count).Select(ordinal => layout[ordinal]))
            {
                Assert.Equal(next, chunk.FileOffset);
                next += chunk.ByteLength;
            }

            Assert.Equal(shard.Length, next);
        }

        Assert.Equal((6 << 20) + 4 + 5, layout.DataBytes);
    }

    [Fact]
    public void Ordinal_outside_is_our_own_defect()
    {
        ModelLayout layout = new([ShardOf("a.safetensors", Second)]);
        Assert.Throws<ArgumentOutOfRangeException>(() => layout[-1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => layout[1]);
    }

    [Fact]
    public void Identity_changes_with_a_shard_name_and_with_a_header_and_not_with_the_order()
    {
        Digest128 identity = new ModelLayout([ShardOf("a", First), ShardOf("b", Second)]).Identity;
        Assert.Equal(identity, new ModelLayout([ShardOf("b", Second), ShardOf("a", First)]).Identity);
        Assert.NotEqual(identity, new ModelLayout([ShardOf("a", First), ShardOf("c", Second)]).Identity);
        Assert.NotEqual(identity, new ModelLayout([ShardOf("a", Second), ShardOf("b", First)]).Identity);
    }

    [Fact]
    public void Model_without_elements_has_no_chunk() =>
        Assert.Equal(0, new ModelLayout([ShardOf("a", [new("e", ElementType.F32, 0)])]).ChunkCount);

    private static TensorEntry Tensor(ModelLayout layout, string name) =>
        layout.Shards.Select(shard => shard.Header.Find(name)).OfType<TensorEntry>().Single();

    private static Shard ShardOf(string fileName, TinyTensor[] tensors)
    {
        byte[] file = SafetensorsBytes.Build(tensors.Select(tensor => (tensor, new byte[tensor.ByteLength])));
        int header = SafetensorsHeader.ReadPrefix(file, file.Length);
        return new Shard(fileName, $"/m/{fileName}", file.Length, SafetensorsHeader.Parse(file.AsSpan(0, header), file.Length));
    }
}
