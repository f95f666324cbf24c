using System.Buffers.Binary;

namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>Asks for a piece of a tensor in a window. 20 bytes, little-endian, in the order of the fields.</summary>
/// <param name="Window">Number of the window.</param>
/// <param name="Tensor">Number of the tensor in the host's list.</param>
/// <param name="ByteOffset">Bytes from the tensor's start in contiguous order; whole elements.</param>
/// <param name="Length">Bytes; whole elements, at most a window.</param>
internal readonly record struct HostRead(int Window, int Tensor, long ByteOffset, int Length)
{
    /// <summary>Bytes of the message.</summary>
    internal const int Size = 20;

    /// <summary>Writes the message.</summary>
    internal void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt32LittleEndian(destination, Window);
        BinaryPrimitives.WriteInt32LittleEndian(destination[4..], Tensor);
        BinaryPrimitives.WriteInt64LittleEndian(destination[8..], ByteOffset);
        BinaryPrimitives.WriteInt32LittleEndian(destination[16..], Length);
    }

    /// <summary>Reads the message.</summary>
    internal static HostRead Parse(ReadOnlySpan<byte> source) =>
        new(
            BinaryPrimitives.ReadInt32LittleEndian(source),
            BinaryPrimitives.ReadInt32LittleEndian(source[4..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[16..])
        );
}
