using System.IO.Hashing;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>The one number that stands for all weights of a version: xxh3-128 over all chunk digests, 16 bytes each, in ordinal order.</summary>
internal static class ModelRoot
{
    /// <summary>The root of these digests.</summary>
    internal static Digest128 Of(ReadOnlySpan<Digest128> digests)
    {
        XxHash128 hash = new();
        Span<byte> bytes = stackalloc byte[Digest128.ByteLength];
        foreach (Digest128 digest in digests)
        {
            digest.Write(bytes);
            hash.Append(bytes);
        }

        return Digest128.Of(hash);
    }
}
