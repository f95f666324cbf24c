using ApolloCheckpoint.Engine.Model;
using CsCheck;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Model;

public class ChunkLayoutTests
{
    private static readonly Gen<TensorEntry> Tensors = Gen.Select(
            Gen.Enum<ElementType>().Where(type => type != ElementType.None),
            Gen.OneOf(Gen.Long[0, 5], Gen.Long[(1 << 20) - 3, (1 << 20) + 3], Gen.Long[0, 1L << 44])
        )
        .Select((type, units) => new TensorEntry("t", type, [units * type.UnitBytes() * 8 / type.Bits()], 1000, units * type.UnitBytes()));

    [Fact]
    public void Parts_tile_the_tensor_and_keep_within_both_bounds() =>
        Tensors.Sample(tensor =>
        {
            int count = ChunkLayout.Count(tensor);
            Assert.Equal(0, count == 0 ? tensor.Units : ChunkLayout.FirstUnit(tensor, 0, count));
            Assert.Equal(tensor.Units, count == 0 ? 0 : ChunkLayout.FirstUnit(tensor, count, count));
            foreach (int part in new[] { 0, 1, count / 3, count / 2, count - 2, count - 1 }.Where(part => part >= 0 && part < count))
            {
                long units = ChunkLayout.FirstUnit(tensor, part + 1, count) - ChunkLayout.FirstUnit(tensor, part, count);
                Assert.InRange(units, 1, ChunkLayout.MaxUnits);
                Assert.InRange(units * tensor.Type.UnitBytes(), 1, ChunkLayout.MaxBytes);
                Assert.InRange(units - tensor.Units / count, 0, 1);
            }
        });

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(1 << 20, 1)]
    [InlineData((1 << 20) + 1, 2)]
    [InlineData(5 << 20, 5)]
    public void Tensor_of_two_byte_elements_has_one_chunk_a_mebi(long elements, int chunks) =>
        Assert.Equal(chunks, ChunkLayout.Count(new TensorEntry("t", ElementType.BF16, [elements], 0, elements * 2)));

    [Fact]
    public void Scalar_has_one_chunk() => Assert.Equal(1, ChunkLayout.Count(new TensorEntry("t", ElementType.F64, [], 0, 8)));
}
