using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>What <see cref="DigestTable"/> says of one shard.</summary>
/// <param name="FileName">The shard.</param>
/// <param name="HeaderDigest">xxh3-128 of its length prefix and JSON text.</param>
/// <param name="Version">The version whose bytes it holds.</param>
/// <param name="Length">Bytes of the file; with the next two, says only whether to look, never what is there.</param>
/// <param name="ModifiedNs">Time of its last change, nanoseconds since 1970.</param>
/// <param name="Inode">Its inode.</param>
internal sealed record ShardRecord(string FileName, Digest128 HeaderDigest, long Version, long Length, long ModifiedNs, long Inode)
{
    /// <summary>Whether the file looks as it did when this was recorded.</summary>
    internal bool LooksLike(FileEntry entry) => entry.Length == Length && entry.ModifiedNs == ModifiedNs && entry.Inode == Inode;

    /// <summary>The same with the looks of now.</summary>
    internal ShardRecord WithLooks(FileEntry entry) =>
        this with
        {
            Length = entry.Length,
            ModifiedNs = entry.ModifiedNs,
            Inode = entry.Inode,
        };
}
