using System.Runtime.InteropServices;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Tests.Journaling.Codecs;

/// <summary>Chunks before and after, made up: every density and every kind of change that a float can go through.</summary>
internal static class MadePairs
{
    /// <summary>The ways to make a pair.</summary>
    public enum Kind
    {
        /// <summary>Normal weights, small steps.</summary>
        Training,

        /// <summary>Random bits, small steps of the raw bits.</summary>
        RandomSmallSteps,

        /// <summary>Random bits before and after.</summary>
        RandomBits,

        /// <summary>Zeros, infinities, NaNs, subnormals into each other.</summary>
        Special,

        /// <summary>Signs flip.</summary>
        Signs,

        /// <summary>Exponents grow by one.</summary>
        Exponents,

        /// <summary>One value becomes another.</summary>
        Fill,

        /// <summary>Tiny values change wholly, large ones seldom.</summary>
        InPlace,
    }

    /// <summary>Bytes of a chunk before and after; at least one unit differs.</summary>
    public static (byte[] Before, byte[] After) Make(ElementType type, Kind kind, double density, int units, int seed)
    {
        int width = type.UnitBytes();
        Random random = new(seed);
        byte[] before = new byte[units * width];
        for (int unit = 0; unit < units; unit++)
        {
            Put(before, width, unit, First(type, kind, random));
        }

        byte[] after = (byte[])before.Clone();
        for (int unit = 0; unit < units; unit++)
        {
            if (random.NextDouble() < density)
            {
                Put(after, width, unit, Next(type, kind, random, Get(before, width, unit)));
            }
        }

        if (before.AsSpan().SequenceEqual(after))
        {
            after[random.Next(after.Length)] ^= 1;
        }

        return (before, after);
    }

    private static ulong First(ElementType type, Kind kind, Random random) =>
        kind switch
        {
            Kind.Training or Kind.InPlace or Kind.Signs or Kind.Exponents => Normal(type, random),
            Kind.Special => Special(type, random),
            Kind.Fill => 0,
            _ => (ulong)random.NextInt64(long.MinValue, long.MaxValue),
        };

    private static ulong Next(ElementType type, Kind kind, Random random, ulong old)
    {
        int width = type.UnitBytes() * 8;
        return kind switch
        {
            Kind.Training => old + (random.Next(2) == 0 ? 1UL : ulong.MaxValue) * (ulong)(random.Next(8) == 0 ? random.Next(1, 6) : 1),
            Kind.RandomSmallSteps => old + (ulong)random.Next(-3, 4),
            Kind.Special => Special(type, random),
            Kind.Signs => old ^ (1UL << (width - 1)),
            Kind.Exponents => old + (1UL << (type == ElementType.F16 ? 10 : 7)),
            Kind.Fill => 0x3c01,
            Kind.InPlace => random.Next(16) == 0 ? Normal(type, random) : old + (ulong)random.Next(-100, 101),
            _ => (ulong)random.NextInt64(long.MinValue, long.MaxValue),
        };
    }

    private static ulong Normal(ElementType type, Random random)
    {
        double uniform = 1 - random.NextDouble();
        float value = (float)(0.02 * Math.Sqrt(-2 * Math.Log(uniform)) * Math.Cos(2 * Math.PI * random.NextDouble()));
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return type switch
        {
            ElementType.BF16 => bits >> 16,
            ElementType.F16 => BitConverter.HalfToUInt16Bits((Half)value),
            _ => bits,
        };
    }

    private static ulong Special(ElementType type, Random random)
    {
        uint sign = (uint)random.Next(2);
        (int exponent, int mantissa) = type switch
        {
            ElementType.F16 => (5, 10),
            ElementType.BF16 => (8, 7),
            _ => (8, 23),
        };
        ulong largest = (1UL << exponent) - 1;
        ulong fraction = (1UL << mantissa) - 1;
        ulong magnitude = random.Next(7) switch
        {
            0 => 0,
            1 => 1,
            2 => fraction,
            3 => largest << mantissa,
            4 => (largest << mantissa) | ((ulong)random.NextInt64() & fraction),
            5 => (largest << mantissa) - 1,
            _ => (ulong)random.NextInt64() & fraction,
        };
        return ((ulong)sign << (exponent + mantissa)) | magnitude;
    }

    private static void Put(byte[] bytes, int width, int unit, ulong value) =>
        MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in value))[..width].CopyTo(bytes.AsSpan(unit * width));

    private static ulong Get(byte[] bytes, int width, int unit)
    {
        ulong value = 0;
        bytes.AsSpan(unit * width, width).CopyTo(MemoryMarshal.AsBytes(new Span<ulong>(ref value)));
        return value;
    }
}
