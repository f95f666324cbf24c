using System.Runtime.InteropServices;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>
/// A bf16 model of one size before and after a step, larger than any cache: normal weights (standard deviation 0.02, as in models of
/// 7 to 27 billion), an fp32 master somewhere inside each weight's rounding cell, and a normal update.
/// </summary>
internal sealed class MadeModel
{
    /// <summary>Bytes of a chunk: the largest.</summary>
    public const int ChunkBytes = 2 << 20;

    private readonly float[] masters;

    /// <summary>Makes the weights.</summary>
    public MadeModel(int chunks)
    {
        masters = new float[chunks * (ChunkBytes / 2)];
        Before = new byte[masters.Length * 2];
        After = new byte[masters.Length * 2];
        Span<ushort> before = MemoryMarshal.Cast<byte, ushort>(Before.AsSpan());
        Random random = new(1);
        for (int index = 0; index < masters.Length; index++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(0.02f * Normal(random));

            // The lower half is as good as random: a master anywhere in its cell.
            masters[index] = BitConverter.UInt32BitsToSingle(bits);
            before[index] = Round(bits);
        }
    }

    /// <summary>Bytes of all chunks before.</summary>
    public byte[] Before { get; }

    /// <summary>Bytes of all chunks after the update.</summary>
    public byte[] After { get; }

    /// <summary>Makes an update.</summary>
    /// <param name="deviation">Its standard deviation.</param>
    /// <returns>The share of elements that changed.</returns>
    public double Update(float deviation)
    {
        ReadOnlySpan<ushort> before = MemoryMarshal.Cast<byte, ushort>(Before);
        Span<ushort> after = MemoryMarshal.Cast<byte, ushort>(After.AsSpan());
        Random random = new(2);
        float[] updates = new float[65_521];
        foreach (ref float update in updates.AsSpan())
        {
            update = deviation * Normal(random);
        }

        long changed = 0;
        for (int index = 0; index < masters.Length; index++)
        {
            after[index] = Round(BitConverter.SingleToUInt32Bits(masters[index] + updates[index % updates.Length]));
            changed += after[index] == before[index] ? 0 : 1;
        }

        return changed / (double)masters.Length;
    }

    private static ushort Round(uint bits) => (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);

    private static float Normal(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
