using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Engine.Tests.Planning;

/// <summary>A tensor cut at random, its pieces in live tensors of random size, and the bytes that must come out.</summary>
internal sealed record Case(PlannedTensor Tensor, FakeWeightSource Source, byte[] Expected);

internal static class RandomTiling
{
    private static readonly ElementType[] Types = [ElementType.U8, ElementType.BF16, ElementType.F32];

    internal static Case Make(Random random)
    {
        ElementType type = Types[random.Next(Types.Length)];
        int bytes = type.UnitBytes();
        long[] shape = [.. Enumerable.Range(0, random.Next(4)).Select(_ => (long)random.Next(1, 7))];
        TensorEntry entry = new("disk", type, shape, 0, shape.Aggregate(1L, (a, b) => a * b) * bytes);
        byte[] expected = new byte[entry.ByteLength];
        FakeWeightSource source = new();
        List<PlannedRegion> regions = [];
        foreach (Rectangle piece in Cut(random, Rectangle.Whole(shape), depth: 3))
        {
            (LiveTensor live, Rectangle inside) = Surround(random, piece, $"live{regions.Count}", type);
            byte[] content = new byte[live.ByteLength];
            random.NextBytes(content);
            source.Add(live, content);
            regions.Add(new PlannedRegion(live, inside, piece));
            Gather(content, live.Shape, inside, expected, shape, piece, bytes);
        }

        PlannedTensor tensor = new(new ModelBuilder().Add("disk", type, shape).Build().Shards[0], entry, regions, type, "random");
        return new Case(tensor, source, expected);
    }

    private static IEnumerable<Rectangle> Cut(Random random, Rectangle whole, int depth)
    {
        int axis = whole.Length.Count == 0 ? -1 : random.Next(whole.Length.Count);
        if (depth == 0 || axis < 0 || whole.Length[axis] < 2 || random.Next(4) == 0)
        {
            return [whole];
        }

        long cut = random.NextInt64(1, whole.Length[axis]);
        Rectangle before = new(whole.Start, [.. whole.Length.Select((length, i) => i == axis ? cut : length)]);
        Rectangle after = new(
            [.. whole.Start.Select((start, i) => i == axis ? start + cut : start)],
            [.. whole.Length.Select((length, i) => i == axis ? length - cut : length)]
        );
        return Cut(random, before, depth - 1).Concat(Cut(random, after, depth - 1));
    }

    /// <summary>A live tensor that holds the piece somewhere, often with margins and further dimensions of length 1 in the rectangle.</summary>
    private static (LiveTensor Live, Rectangle Inside) Surround(Random random, Rectangle piece, string name, ElementType type)
    {
        List<long> start = [];
        List<long> length = [];
        List<long> shape = [];
        void Dimension(long size, bool margins)
        {
            long before = margins ? random.Next(3) : 0;
            start.Add(before);
            length.Add(size);
            shape.Add(before + size + (margins ? random.Next(3) : 0));
        }

        bool exact = random.Next(2) == 0;
        foreach (long size in piece.Length)
        {
            if (random.Next(4) == 0)
            {
                Dimension(1, margins: true);
            }

            if (size != 1 || random.Next(2) == 0)
            {
                Dimension(size, margins: !exact);
            }
        }

        return (new LiveTensor(name, type, shape), new Rectangle(start, length));
    }

    private static void Gather(
        byte[] live,
        IReadOnlyList<long> liveShape,
        Rectangle inside,
        byte[] disk,
        IReadOnlyList<long> diskShape,
        Rectangle piece,
        int bytes
    )
    {
        for (long i = 0; i < piece.Elements; i++)
        {
            live.AsSpan((int)Index(liveShape, inside, i) * bytes, bytes)
                .CopyTo(disk.AsSpan((int)Index(diskShape, piece, i) * bytes, bytes));
        }
    }

    /// <summary>Where the i-th element of a rectangle stands in its tensor.</summary>
    private static long Index(IReadOnlyList<long> shape, Rectangle rectangle, long i)
    {
        long index = 0;
        long stride = 1;
        for (int axis = shape.Count - 1; axis >= 0; axis--)
        {
            index += (rectangle.Start[axis] + i % rectangle.Length[axis]) * stride;
            i /= rectangle.Length[axis];
            stride *= shape[axis];
        }

        return index;
    }
}
