using System.Buffers.Binary;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.TestKit;

/// <summary>Bytes that look like trained weights: normal with sigma 0.02 where the type is a float, uniform otherwise.</summary>
public static class PlausibleWeights
{
    private const double Sigma = 0.02;

    /// <summary>Fills the buffer; the same seed gives the same bytes.</summary>
    /// <param name="bytes">Whole elements of the type.</param>
    /// <param name="type">The element type.</param>
    /// <param name="random">The seeded source.</param>
    public static void Fill(Span<byte> bytes, ElementType type, Random random)
    {
        int size = type.UnitBytes();
        switch (type)
        {
            case ElementType.BF16:
                for (int i = 0; i < bytes.Length; i += size)
                {
                    uint bits = BitConverter.SingleToUInt32Bits(Normal(random));
                    BinaryPrimitives.WriteUInt16LittleEndian(bytes[i..], (ushort)(bits >> 16));
                }

                break;
            case ElementType.F16:
                for (int i = 0; i < bytes.Length; i += size)
                {
                    BinaryPrimitives.WriteHalfLittleEndian(bytes[i..], (Half)Normal(random));
                }

                break;
            case ElementType.F32 or ElementType.C64:
                for (int i = 0; i < bytes.Length; i += sizeof(float))
                {
                    BinaryPrimitives.WriteSingleLittleEndian(bytes[i..], Normal(random));
                }

                break;
            case ElementType.F64:
                for (int i = 0; i < bytes.Length; i += size)
                {
                    BinaryPrimitives.WriteDoubleLittleEndian(bytes[i..], Normal(random));
                }

                break;
            default:
                random.NextBytes(bytes);
                if (type == ElementType.Bool)
                {
                    foreach (ref byte value in bytes)
                    {
                        value &= 1;
                    }
                }

                break;
        }
    }

    /// <summary>Box and Muller: two uniform numbers make a normal one.</summary>
    private static float Normal(Random random)
    {
        double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
        return (float)(Sigma * radius * Math.Cos(2 * Math.PI * random.NextDouble()));
    }
}
