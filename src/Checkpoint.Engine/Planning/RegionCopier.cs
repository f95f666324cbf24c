using System.Diagnostics.CodeAnalysis;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// Brings the live bytes of any stretch of a tensor on disk together, from wherever its regions are. Made once a tensor, used from any
/// number of threads; a stretch costs no allocation. Nearly always one region of one run covers it, and that is one read into place.
/// Short runs that stand side by side in memory (the columns of a rank) are read together into scratch and dealt out.
/// </summary>
public sealed class RegionCopier
{
    private readonly RegionRuns[] regions;
    private readonly string name;
    private readonly long units;

    /// <summary>Works out the runs of a tensor.</summary>
    /// <param name="tensor">Its regions tile it exactly, as <see cref="Planner"/> has proved.</param>
    public RegionCopier(PlannedTensor tensor)
    {
        name = tensor.Entry.Name;
        units = tensor.Entry.Units;
        UnitBytes = tensor.LiveType.UnitBytes();
        regions = [.. tensor.Regions.Select(region => new RegionRuns(tensor.Entry, region)).OrderBy(region => region.FileStart)];
    }

    /// <summary>Bytes of one unit in the live type: what a unit takes in the destination.</summary>
    public int UnitBytes { get; }

    /// <summary>Where its first live byte lies: allocation, and bytes from its start; null where the source does not know.</summary>
    public (int Allocation, long Offset)? Address =>
        regions is [{ Live.Address: { } live } first, ..] ? (live.Allocation, live.Offset + first.LiveOffset(0) * UnitBytes) : null;

    /// <summary>Whether a stretch is one read into place; nearly all are.</summary>
    /// <param name="firstUnit">First unit, from the start of the tensor on disk.</param>
    /// <param name="count">Units.</param>
    /// <param name="tensor">The live tensor to read.</param>
    /// <param name="byteOffset">Bytes from its first element.</param>
    public bool TryOneRead(long firstUnit, int count, [NotNullWhen(true)] out LiveTensor? tensor, out long byteOffset)
    {
        (tensor, byteOffset) = (null, 0);
        foreach (RegionRuns region in regions)
        {
            if (region.FileStart > firstUnit || region.FileEnd < firstUnit + count)
            {
                continue;
            }

            long run = region.FirstEndingAfter(firstUnit);
            if (run == region.Count || region.FileOffset(run) > firstUnit || region.FileOffset(run) + region.Length < firstUnit + count)
            {
                continue;
            }

            tensor = region.Live;
            byteOffset = (region.LiveOffset(run) + firstUnit - region.FileOffset(run)) * UnitBytes;
            return true;
        }

        return false;
    }

    /// <summary>Fills a buffer with live bytes, in the live type, in the order of the disk.</summary>
    /// <param name="source">Where the live tensors are read.</param>
    /// <param name="firstUnit">First unit, from the start of the tensor on disk.</param>
    /// <param name="destination">Filled whole; its length is a multiple of <see cref="UnitBytes"/>.</param>
    /// <param name="scratch">Overwritten; what fits here is read at once. May be empty: then every run is one read.</param>
    /// <exception cref="CheckpointException">SourceUnavailable.</exception>
    public void Fill(IWeightSource source, long firstUnit, Span<byte> destination, Span<byte> scratch)
    {
        long count = Math.DivRem(destination.Length, UnitBytes, out int odd);
        if (odd != 0 || firstUnit < 0 || firstUnit > units - count)
        {
            throw new ArgumentOutOfRangeException(nameof(firstUnit), $"{firstUnit}, {destination.Length} bytes of {name}, {units} units");
        }

        foreach (RegionRuns region in regions)
        {
            if (region.FileStart < firstUnit + count && region.FileEnd > firstUnit)
            {
                FillFrom(region, source, firstUnit, destination, scratch);
            }
        }
    }

    private void FillFrom(RegionRuns region, IWeightSource source, long firstUnit, Span<byte> destination, Span<byte> scratch)
    {
        long end = firstUnit + destination.Length / UnitBytes;
        long run = region.FirstEndingAfter(firstUnit);
        while (run < region.Count)
        {
            long start = region.FileOffset(run);
            if (start >= end)
            {
                return;
            }

            long together = Together(region, run, firstUnit, end, scratch.Length);
            if (together > 1)
            {
                int bytes = (int)(together * region.Length * UnitBytes);
                source.Read(region.Live, region.LiveOffset(run) * UnitBytes, scratch[..bytes]);
                Deal(region, run, together, scratch[..bytes], firstUnit, destination);
            }
            else
            {
                // The first and the last run of a stretch may be cut.
                long from = Math.Max(start, firstUnit);
                long to = Math.Min(start + region.Length, end);
                Span<byte> target = destination.Slice((int)((from - firstUnit) * UnitBytes), (int)((to - from) * UnitBytes));
                source.Read(region.Live, (region.LiveOffset(run) + from - start) * UnitBytes, target);
            }

            run += together;
        }
    }

    /// <summary>How many whole runs from this one on can be read at once; 1 also when this one is cut or does not fit.</summary>
    private long Together(RegionRuns region, long run, long firstUnit, long end, int scratchBytes)
    {
        long most = Math.Min(region.Adjacent(run), scratchBytes / (region.Length * UnitBytes));
        if (most < 2 || region.FileOffset(run) < firstUnit)
        {
            return 1;
        }

        // Runs ascend on disk: the first that ends beyond the stretch ends the batch.
        return Math.Clamp(region.FirstEndingAfter(end) - run, 1, most);
    }

    private void Deal(RegionRuns region, long run, long count, ReadOnlySpan<byte> bytes, long firstUnit, Span<byte> destination)
    {
        int runBytes = (int)(region.Length * UnitBytes);
        for (int i = 0; i < count; i++)
        {
            int target = (int)((region.FileOffset(run + i) - firstUnit) * UnitBytes);
            bytes.Slice(i * runBytes, runBytes).CopyTo(destination[target..]);
        }
    }
}
