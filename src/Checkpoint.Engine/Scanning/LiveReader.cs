using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Scanning;

/// <summary>
/// Brings the live bytes of units into private memory, for one thread. Where the source reads ahead, a unit that is one stretch of live
/// memory (nearly all are) is read while the unit before it is compared, and stays where the source put it.
/// </summary>
internal sealed class LiveReader(IWeightSource source) : IDisposable
{
    // A chunk has at most 1 Mi units and 2 MiB on disk; live elements are at most twice as wide (bf16 on disk, f32 live).
    private readonly byte[] live = GC.AllocateUninitializedArray<byte>(2 * ChunkLayout.MaxBytes);
    private readonly byte[] scratch = new byte[256 << 10];
    private readonly IReadAhead? ahead = source.OpenReadAhead();
    private byte[]? copy;

    /// <summary>Says which unit is read next. Every unit is said once, before the one before it is read.</summary>
    /// <exception cref="CheckpointException">SourceUnavailable.</exception>
    internal void Expect(ScanUnit unit, in Chunk chunk)
    {
        if (ahead is not null && unit.Copier.TryOneRead(chunk.FirstUnit, chunk.Units, out LiveTensor? tensor, out long byteOffset))
        {
            ahead.Start(tensor, byteOffset, chunk.Units * unit.Copier.UnitBytes);
        }
    }

    /// <summary>The live bytes of a unit that was expected; they stand until the next call.</summary>
    /// <exception cref="CheckpointException">SourceUnavailable.</exception>
    internal ReadOnlyMemory<byte> Read(ScanUnit unit, in Chunk chunk)
    {
        if (ahead is not null && unit.Copier.TryOneRead(chunk.FirstUnit, chunk.Units, out _, out _))
        {
            return ahead.Take();
        }

        int length = checked(chunk.Units * unit.Copier.UnitBytes);
        unit.Copier.Fill(source, chunk.FirstUnit, live.AsSpan(0, length), scratch);
        return live.AsMemory(0, length);
    }

    /// <summary>Whether other ranks hold these bytes of a unit, bit for bit.</summary>
    /// <exception cref="CheckpointException">SourceUnavailable.</exception>
    internal bool CopiesAre(ScanUnit unit, in Chunk chunk, ReadOnlySpan<byte> expected)
    {
        foreach (RegionCopier other in unit.Copies)
        {
            copy ??= GC.AllocateUninitializedArray<byte>(live.Length);
            Span<byte> bytes = copy.AsSpan(0, expected.Length);
            other.Fill(source, chunk.FirstUnit, bytes, scratch);
            if (!bytes.SequenceEqual(expected))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Lets go of what was read ahead.</summary>
    public void Dispose() => ahead?.Dispose();
}
