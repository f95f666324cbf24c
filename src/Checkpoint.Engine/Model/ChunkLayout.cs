namespace ApolloCheckpoint.Engine.Model;

/// <summary>
/// How a tensor is cut into chunks, the unit of coding, digests and parallel work: n equal parts of at most 1 Mi units and 2 MiB,
/// part i = units [iU/n, (i+1)U/n). A function of the shard's header alone. No units: no chunk; a scalar: one.
/// A unit is an element, or a byte for types packed below a byte.
/// </summary>
public static class ChunkLayout
{
    /// <summary>Most units of a chunk.</summary>
    public const int MaxUnits = 1 << 20;

    /// <summary>Most bytes of a chunk.</summary>
    public const int MaxBytes = 2 << 20;

    /// <summary>Number of chunks of a tensor.</summary>
    public static int Count(TensorEntry tensor)
    {
        long unitsPerChunk = Math.Min(MaxUnits, MaxBytes / tensor.Type.UnitBytes());
        return checked((int)((tensor.Units + unitsPerChunk - 1) / unitsPerChunk));
    }

    /// <summary>First unit of part <paramref name="part"/> of <paramref name="count"/>, from the start of the tensor.</summary>
    /// <remarks>The floor of part · units / count; the product alone might not fit.</remarks>
    public static long FirstUnit(TensorEntry tensor, int part, int count)
    {
        (long whole, long rest) = Math.DivRem(tensor.Units, count);
        return part * whole + part * rest / count;
    }
}
