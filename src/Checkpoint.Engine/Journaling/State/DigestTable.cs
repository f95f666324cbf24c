using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>
/// <c>digests.bin</c> (docs/format-digests.md): what the <em>shards</em> hold, chunk by chunk, and the version of each shard. With the
/// deltas above a shard's version it says what every chunk of the newest version is. Replaced atomically; a file whose checksum does
/// not hold is no file, and is rebuilt from shards and journal.
/// <code>
///  0   8  "APOLLODG"
///  8   2  format version (1)
/// 10   2  zero
/// 12   4  number of shards s
/// 16   4  number of chunks n
/// 20   4  zero
/// 24  16  lineage
/// 40  16  identity of the model's layout
/// 56      s times: varint length and UTF-8 of the file name · header digest 16 · version 8 · length 8 · mtime (ns) 8 · inode 8
///         n times: digest 16
/// end-16  xxh3-128 of everything before
/// </code>
/// </summary>
internal sealed class DigestTable
{
    private const ushort FormatVersion = 1;
    private const int ChecksumBytes = 16;
    private const long MaxBytes = 1L << 31;

    /// <param name="lineage">The history.</param>
    /// <param name="identity">The model's layout.</param>
    /// <param name="shards">One row a shard, in the layout's order.</param>
    /// <param name="digests">One a chunk, by ordinal.</param>
    internal DigestTable(Digest128 lineage, Digest128 identity, ShardRecord[] shards, Digest128[] digests)
    {
        Lineage = lineage;
        Identity = identity;
        Shards = shards;
        Digests = digests;
    }

    /// <summary>The history.</summary>
    internal Digest128 Lineage { get; }

    /// <summary>The model's layout when it was written.</summary>
    internal Digest128 Identity { get; }

    /// <summary>One row a shard, in the layout's order. Rows are replaced as shards are folded.</summary>
    internal ShardRecord[] Shards { get; }

    /// <summary>xxh3-128 of every chunk as its shard holds it, by ordinal. Changed as shards are folded.</summary>
    internal Digest128[] Digests { get; }

    private static ReadOnlySpan<byte> Magic => "APOLLODG"u8;

    /// <summary>Makes it durable.</summary>
    internal void Save(IDisk disk, string path)
    {
        FieldWriter fields = new();
        fields.Bytes(Magic);
        fields.U16(FormatVersion);
        fields.U16(0);
        fields.U32((uint)Shards.Length);
        fields.U32((uint)Digests.Length);
        fields.U32(0);
        fields.U128(Lineage);
        fields.U128(Identity);
        foreach (ShardRecord shard in Shards)
        {
            fields.Text(shard.FileName);
            fields.U128(shard.HeaderDigest);
            fields.I64(shard.Version);
            fields.I64(shard.Length);
            fields.I64(shard.ModifiedNs);
            fields.I64(shard.Inode);
        }

        foreach (Digest128 digest in Digests)
        {
            fields.U128(digest);
        }

        fields.U128(Digest128.Of(fields.Written));
        AtomicFile.Replace(disk, path, fields.Written);
    }

    /// <summary>Reads it, or says null: missing, damaged, or of another format. Whether it fits the model is the caller's question.</summary>
    internal static DigestTable? TryRead(IDisk disk, string path)
    {
        byte[]? bytes = AtomicFile.TryRead(disk, path, MaxBytes);
        if (bytes is null || bytes.Length < 56 + ChecksumBytes)
        {
            return null;
        }

        ReadOnlySpan<byte> body = bytes.AsSpan(0, bytes.Length - ChecksumBytes);
        Digest128 checksum = new FieldReader(bytes.AsSpan(body.Length), path).U128();
        try
        {
            return Digest128.Of(body) == checksum ? Parse(new FieldReader(body, path)) : null;
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.JournalDamaged)
        {
            // It can be rebuilt, so damage is only a reason to do that.
            return null;
        }
    }

    private static DigestTable? Parse(FieldReader fields)
    {
        if (!fields.Take(8).SequenceEqual(Magic) || fields.U16() != FormatVersion || fields.U16() != 0)
        {
            return null;
        }

        int shardCount = (int)fields.Bounded(fields.U32(), fields.Left, "the number of shards");
        int chunkCount = (int)fields.Bounded(fields.U32(), fields.Left / 16, "the number of chunks");
        _ = fields.U32();
        Digest128 lineage = fields.U128();
        Digest128 identity = fields.U128();
        ShardRecord[] shards = new ShardRecord[shardCount];
        for (int i = 0; i < shardCount; i++)
        {
            string name = fields.Text(4096);
            shards[i] = new ShardRecord(
                name,
                fields.U128(),
                (long)fields.U64(),
                (long)fields.U64(),
                (long)fields.U64(),
                (long)fields.U64()
            );
        }

        Digest128[] digests = new Digest128[chunkCount];
        for (int i = 0; i < chunkCount; i++)
        {
            digests[i] = fields.U128();
        }

        fields.End();
        return new DigestTable(lineage, identity, shards, digests);
    }

    /// <summary>Whether it speaks of this layout: same identity, same shards in the same order, same number of chunks.</summary>
    internal bool Fits(ModelLayout layout) =>
        Identity == layout.Identity
        && Digests.Length == layout.ChunkCount
        && Shards.Select(row => row.FileName).SequenceEqual(layout.Shards.Select(shard => shard.FileName), StringComparer.Ordinal);
}
