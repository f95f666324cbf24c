using System.Runtime.InteropServices;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>
/// Weights and updates by the gigabyte, from seeded tables of normal numbers that are read at random places: as good as fresh ones for
/// what is measured here, and made at the speed of memory.
/// </summary>
internal sealed class TrainingNoise
{
    /// <summary>Standard deviation of weights, as in models of 7 to 27 billion.</summary>
    private const float Deviation = 0.02f;

    private static readonly float[] Normals = Table(1 << 20);
    private readonly ushort[] pool = new ushort[16 << 20];
    private readonly Random random;

    /// <summary>Makes the pool of weights.</summary>
    public TrainingNoise(int seed)
    {
        random = new Random(seed);
        for (int i = 0; i < pool.Length; i++)
        {
            pool[i] = Round(BitConverter.SingleToUInt32Bits(Deviation * Normals[random.Next(Normals.Length)]));
        }
    }

    /// <summary>Normal weights in bf16.</summary>
    /// <param name="length">Bytes.</param>
    public byte[] Weights(int length)
    {
        byte[] bytes = new byte[length];
        ReadOnlySpan<byte> source = MemoryMarshal.AsBytes(pool.AsSpan());
        for (int done = 0; done < length; )
        {
            int start = 2 * random.Next(pool.Length);
            int part = Math.Min(length - done, source.Length - start);
            source.Slice(start, part).CopyTo(bytes.AsSpan(done));
            done += part;
        }

        return bytes;
    }

    /// <summary>One update, in place: each weight's master lies anywhere in its rounding cell.</summary>
    /// <returns>Number of elements that changed.</returns>
    public static long Apply(Span<ushort> weights, float deviation, int seed)
    {
        Random random = new(seed);
        long changed = 0;
        int normal = random.Next();
        uint inside = (uint)random.Next() | 1;
        for (int i = 0; i < weights.Length; i++)
        {
            // A xorshift: its lower half is where in the cell the master lies.
            inside ^= inside << 13;
            inside ^= inside >> 17;
            inside ^= inside << 5;
            uint master = ((uint)weights[i] << 16) + (inside & 0xffff) - 0x8000;
            float update = deviation * Normals[(normal + i) & (Normals.Length - 1)];
            ushort after = Round(BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle(master) + update));
            changed += after == weights[i] ? 0 : 1;
            weights[i] = after;
        }

        return changed;
    }

    private static ushort Round(uint bits) => (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);

    private static float[] Table(int count)
    {
        Random random = new(7);
        float[] table = new float[count];
        foreach (ref float number in table.AsSpan())
        {
            number = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        }

        return table;
    }
}
