using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.Baselines;

/// <summary>
/// The file behind a <see cref="BaselineCache"/> (docs/format-baseline.md): sparse, private, one a model directory. It lives in memory,
/// so nothing of it is ever flushed: what outlives a crash of the program is what the kernel took, and no file outlives the machine's.
/// <code>
///  0   8  "APOLLOBL"
///  8   2  format version (1)
/// 10   1  1 when it is whole, 0 while it is being written
/// 11   5  zero
/// 16  16  lineage
/// 32  16  identity of the model's layout
/// 48  16  root of the version that it holds
/// 64   8  the version
/// 72  16  xxh3-128 of the id of the boot
/// 88      one bit a chunk, low bit first: whether the file holds it
///         xxh3-128 of everything before
///         from the next multiple of 4096: room for every shard, one after another; a chunk stands where it stands in its shard
/// </code>
/// </summary>
internal sealed class BaselineFile : IDisposable
{
    private const ushort FormatVersion = 1;
    private const int WholeAt = 10;
    private const int BitsAt = 88;
    private const int PageBytes = 4096;

    private readonly ModelLayout layout;
    private readonly IDiskFile file;
    private readonly long[] shardStarts;

    private BaselineFile(IDiskFile file, ModelLayout layout)
    {
        this.file = file;
        this.layout = layout;
        (shardStarts, _) = Places(layout);
    }

    /// <summary>Makes a new one in the place of whatever stands there.</summary>
    /// <exception cref="CheckpointException">15xx.</exception>
    internal static BaselineFile Create(IDisk disk, string path, ModelLayout layout)
    {
        if (disk.Stat(path) is not null)
        {
            disk.Delete(path);
        }

        BaselineFile created = new(disk.Create(path, isPrivate: true), layout);
        created.file.SetLength(Places(layout).Length);
        return created;
    }

    /// <summary>Opens one that is whole and holds exactly that version in this boot; anything else is none.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="path">Where.</param>
    /// <param name="layout">The model.</param>
    /// <param name="stamp">What it must hold.</param>
    /// <param name="isHeld">Is filled: whether the file holds a chunk, by ordinal.</param>
    /// <param name="writable">To write to it later.</param>
    internal static BaselineFile? TryOpen(IDisk disk, string path, ModelLayout layout, in BaselineStamp stamp, bool[] isHeld, bool writable)
    {
        if (disk.Stat(path) is not { Kind: FileEntryKind.File } entry || entry.Length != Places(layout).Length)
        {
            return null;
        }

        BaselineFile opened = new(disk.Open(path, writable), layout);
        byte[] head = new byte[HeadBytes(layout)];
        if (opened.file.Read(head, 0) == head.Length)
        {
            for (int i = 0; i < isHeld.Length; i++)
            {
                isHeld[i] = (head[BitsAt + i / 8] >> (i % 8) & 1) != 0;
            }

            // What is not spelled as it would be written now is of another history, version or boot, is not whole, or is damaged.
            if (head.AsSpan().SequenceEqual(Head(stamp, isHeld)))
            {
                return opened;
            }
        }

        Array.Clear(isHeld);
        opened.Dispose();
        return null;
    }

    /// <summary>Reads a chunk's place.</summary>
    /// <returns>Whether the file has so many bytes.</returns>
    internal bool Read(in Chunk chunk, Span<byte> bytes) => file.Read(bytes, PlaceOf(chunk)) == bytes.Length;

    /// <summary>Writes a chunk. Between <see cref="BeginWriting"/> and <see cref="EndWriting"/> only.</summary>
    internal void Write(in Chunk chunk, ReadOnlySpan<byte> bytes) => file.Write(bytes, PlaceOf(chunk));

    /// <summary>From now on the file is worth nothing to who opens it, until the end.</summary>
    internal void BeginWriting() => file.Write([0], WholeAt);

    /// <summary>The file is whole again.</summary>
    internal void EndWriting(in BaselineStamp stamp, ReadOnlySpan<bool> isHeld) => file.Write(Head(stamp, isHeld), 0);

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private long PlaceOf(in Chunk chunk) => shardStarts[layout.PlaceOf(chunk.Shard)] + chunk.FileOffset;

    private static int HeadBytes(ModelLayout layout) => BitsAt + (layout.ChunkCount + 7) / 8 + 16;

    private static (long[] ShardStarts, long Length) Places(ModelLayout layout)
    {
        long next = (HeadBytes(layout) + PageBytes - 1) / PageBytes * PageBytes;
        long[] starts = new long[layout.Shards.Count];
        for (int i = 0; i < starts.Length; i++)
        {
            starts[i] = next;
            next = checked(next + layout.Shards[i].Length);
        }

        return (starts, next);
    }

    private static byte[] Head(in BaselineStamp stamp, ReadOnlySpan<bool> isHeld)
    {
        FieldWriter fields = new();
        fields.Bytes("APOLLOBL"u8);
        fields.U16(FormatVersion);
        fields.Bytes([1, 0, 0, 0, 0, 0]);
        fields.U128(stamp.Lineage);
        fields.U128(stamp.Identity);
        fields.U128(stamp.Root);
        fields.I64(stamp.Version);
        fields.U128(stamp.Boot);
        byte[] bits = new byte[(isHeld.Length + 7) / 8];
        for (int i = 0; i < isHeld.Length; i++)
        {
            bits[i / 8] |= (byte)(isHeld[i] ? 1 << (i % 8) : 0);
        }

        fields.Bytes(bits);
        fields.U128(Digest128.Of(fields.Written));
        return fields.Written.ToArray();
    }
}
