using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine;

/// <summary>What this program recorded of a model's shards, chunk by chunk: a <c>digests.bin</c>, of here or of a copy.</summary>
public sealed class RecordedDigests
{
    private readonly DigestTable table;

    private RecordedDigests(ModelLayout layout, DigestTable table)
    {
        Layout = layout;
        this.table = table;
    }

    /// <summary>The chunks that it speaks of.</summary>
    public ModelLayout Layout { get; }

    /// <summary>The version that all shards hold at least.</summary>
    public long Version => table.Shards.Min(shard => shard.Version);

    /// <summary>Reads it, or says null: missing, damaged, of another format, or of a model with other tensors.</summary>
    public static RecordedDigests? TryRead(IDisk disk, ModelLayout layout, string path) =>
        DigestTable.TryRead(disk, path) is { } table && table.Fits(layout) ? new RecordedDigests(layout, table) : null;

    /// <summary>Whether these are the recorded bytes of a chunk.</summary>
    public bool Holds(int ordinal, ReadOnlySpan<byte> bytes) => Digest128.Of(bytes) == table.Digests[ordinal];

    /// <summary>Whether every shard's file still looks (length, time, inode) as it did when this was recorded.</summary>
    internal bool LooksCurrent(IDisk disk) =>
        Layout.Shards.All(shard => table.Shards[Layout.PlaceOf(shard)].LooksLike(ShardFiles.Look(disk, shard)));
}
