using System.Buffers.Binary;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Weights.Handles.Torch;

/// <summary>Numbers of a zip archive, little-endian.</summary>
internal static class ZipBytes
{
    /// <summary>Reads all of a range, or fails.</summary>
    /// <exception cref="CheckpointException">HandlesMalformed: the file ends before.</exception>
    internal static byte[] Read(IDiskFile file, long offset, long length)
    {
        byte[] bytes = new byte[length];
        return file.Read(bytes, offset) == length ? bytes : throw HandlesFile.Malformed(file.Path, "was cut short while it was read");
    }

    /// <summary>Two bytes.</summary>
    internal static int U16(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[offset..]);

    /// <summary>Four bytes, not signed.</summary>
    internal static long U32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);

    /// <summary>Eight bytes. A number of 2^63 or more reads as negative, which every check refuses.</summary>
    internal static long U64(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadInt64LittleEndian(bytes[offset..]);
}
