using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// A region as runs: stretches that are contiguous on disk and in live memory. Whole dimensions at the end are one run, so that a row
/// range or an expert is a single run and a column slice one a row. All numbers are units (elements; bytes for types packed below a
/// byte), from the start of the tensor. Runs ascend on disk.
/// </summary>
internal sealed class RegionRuns
{
    private readonly long fileStart;
    private readonly long liveStart;
    private readonly (long Count, long FileStride, long LiveStride)[] outer;

    internal RegionRuns(TensorEntry entry, PlannedRegion region)
    {
        Live = region.Live;
        if (region.FileRectangle.Elements == entry.Elements && region.LiveRectangle.Elements == region.Live.Elements)
        {
            // Whole to whole is one run, also where the live tensor lies flat; the planner takes types packed below a byte only so.
            (outer, Length, Count) = ([], entry.Units, 1);
        }
        else
        {
            List<(long Count, long FileStride, long LiveStride)> dimensions = Dimensions(entry.Shape, region);
            Length = MergeTail(dimensions);
            outer = [.. dimensions];
            Count = outer.Aggregate(1L, (product, dimension) => checked(product * dimension.Count));
            fileStart = Offset(region.FileRectangle, entry.Shape);
            liveStart = Offset(region.LiveRectangle, region.Live.Shape);
        }

        FileEnd = FileOffset(Count - 1) + Length;
    }

    /// <summary>The live tensor it reads from.</summary>
    internal LiveTensor Live { get; }

    /// <summary>Units of a run.</summary>
    internal long Length { get; }

    /// <summary>Number of runs.</summary>
    internal long Count { get; }

    /// <summary>First unit on disk.</summary>
    internal long FileStart => fileStart;

    /// <summary>One beyond the last unit on disk.</summary>
    internal long FileEnd { get; }

    /// <summary>First unit of a run on disk.</summary>
    internal long FileOffset(long run) => At(run).File;

    /// <summary>First unit of a run in live memory.</summary>
    internal long LiveOffset(long run) => At(run).Live;

    /// <summary>How many runs from this one on stand one after the other in live memory; at least 1.</summary>
    internal long Adjacent(long run) =>
        outer is [.., { LiveStride: var stride, Count: var count }] && stride == Length ? count - run % count : 1;

    /// <summary>The first run that ends beyond that unit on disk; <see cref="Count"/> when none does.</summary>
    internal long FirstEndingAfter(long unit)
    {
        (long low, long high) = (0, Count);
        while (low < high)
        {
            long middle = low + (high - low) / 2;
            (low, high) = FileOffset(middle) + Length > unit ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    private (long File, long Live) At(long run)
    {
        (long file, long live) = (fileStart, liveStart);
        for (int i = outer.Length - 1; i >= 0; i--)
        {
            (run, long index) = Math.DivRem(run, outer[i].Count);
            file += index * outer[i].FileStride;
            live += index * outer[i].LiveStride;
        }

        return (file, live);
    }

    /// <summary>The dimensions longer than 1, which are the same on both sides, with their strides on each.</summary>
    private static List<(long, long, long)> Dimensions(IReadOnlyList<long> fileShape, PlannedRegion region)
    {
        IEnumerable<(long Length, long Stride)> file = Long(region.FileRectangle, fileShape);
        IEnumerable<(long Length, long Stride)> live = Long(region.LiveRectangle, region.Live.Shape);
        return [.. file.Zip(live, (onDisk, inMemory) => (onDisk.Length, onDisk.Stride, inMemory.Stride))];
    }

    private static IEnumerable<(long Length, long Stride)> Long(Rectangle rectangle, IReadOnlyList<long> shape) =>
        rectangle.Length.Zip(Strides(shape)).Where(dimension => dimension.First != 1);

    /// <summary>Takes the dimensions off the end that continue each other on both sides, and returns their product.</summary>
    private static long MergeTail(List<(long Count, long FileStride, long LiveStride)> dimensions)
    {
        long length = 1;
        while (dimensions is [.., var last] && last.FileStride == length && last.LiveStride == length)
        {
            length *= last.Count;
            dimensions.RemoveAt(dimensions.Count - 1);
        }

        return length;
    }

    private static long Offset(Rectangle rectangle, IReadOnlyList<long> shape) =>
        rectangle.Start.Zip(Strides(shape), (start, stride) => start * stride).Sum();

    /// <summary>Units from one index to the next, a dimension, row-major.</summary>
    private static long[] Strides(IReadOnlyList<long> shape)
    {
        long[] strides = new long[shape.Count];
        long stride = 1;
        for (int i = shape.Count - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride = checked(stride * shape[i]);
        }

        return strides;
    }
}
