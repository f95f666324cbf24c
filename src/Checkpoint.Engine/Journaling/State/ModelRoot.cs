using System.Buffers.Binary;
using System.IO.Hashing;

namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>The one number that stands for all weights of a version: xxh3-128 over all chunk digests, 16 bytes each, in ordinal order.</summary>
internal static class ModelRoot
{
    /// <summary>The root of these digests.</summary>
    internal static UInt128 Of(ReadOnlySpan<UInt128> digests)
    {
        XxHash128 hash = new();
        Span<byte> bytes = stackalloc byte[16];
        foreach (UInt128 digest in digests)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(bytes, digest);
            hash.Append(bytes);
        }

        return hash.GetCurrentHashAsUInt128();
    }

    /// <summary>As written in state.json and published by hooks: 32 hex digits.</summary>
    internal static string Text(UInt128 root) => root.ToString("x32", System.Globalization.CultureInfo.InvariantCulture);
}
