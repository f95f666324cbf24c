using ApolloCheckpoint.Engine.Diffing;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Baselines;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>A tiny model on some disk, with the bytes that each of its versions had, for tests of the journal.</summary>
internal sealed class JournaledModel(IDisk disk, string path)
{
    private readonly List<byte[][]> versions = [];

    internal IDisk Disk => disk;

    internal string Path => path;

    internal StatePaths Paths => new(path);

    /// <summary>What the chunks of each version are, by version and ordinal.</summary>
    internal IReadOnlyList<byte[][]> Versions => versions;

    internal JournalOptions Options { get; set; } = new() { Codec = () => new XorCodec(), Workers = 1 };

    /// <summary>Two shards; the first holds two tensors, of which one has pages of its own that a test can leave alone.</summary>
    internal static JournaledModel Create(IDisk disk, string path, int shards = 2)
    {
        TinyTensor[] tensors =
        [
            new("a", ElementType.BF16, 96, 64),
            new("b", ElementType.F32, 16),
            new("c", ElementType.BF16, 128, 32),
            new("d", ElementType.U8, 300),
        ];
        TinyModel.Write(path, tensors, shards: shards, disk: disk);
        JournaledModel model = new(disk, path);
        model.versions.Add(model.FileChunks());
        return model;
    }

    internal ModelDirectory Open() => ModelDirectory.Open(disk, path);

    internal JournalSession OpenSession() => JournalSession.Open(disk, Open(), Options, CancellationToken.None);

    /// <summary>The chunks as the files hold them now.</summary>
    internal byte[][] FileChunks()
    {
        ModelDirectory model = Open();
        using ShardFiles files = new(disk, model.Layout.Shards);
        return
        [
            .. Enumerable
                .Range(0, model.Layout.ChunkCount)
                .Select(ordinal => files.Read(model.Layout[ordinal], new byte[model.Layout[ordinal].ByteLength]).ToArray()),
        ];
    }

    /// <summary>A next version: some elements of the named tensors change.</summary>
    internal byte[][] Change(int seed, params string[] tensors) => Change(seed, versions[^1], tensors);

    /// <summary>A version that follows another one: some elements of the named tensors change, of all when none is named.</summary>
    internal byte[][] Change(int seed, byte[][] before, string[] tensors)
    {
        ModelLayout layout = Open().Layout;
        byte[][] next = [.. before.Select(bytes => bytes.ToArray())];
        Random random = new(seed);
        for (int ordinal = 0; ordinal < next.Length; ordinal++)
        {
            if (tensors.Length == 0 || tensors.Contains(layout[ordinal].Tensor.Name))
            {
                TrainerStep.Apply(next[ordinal], layout[ordinal].Tensor.Type, 0.05, random);
                next[ordinal][0] ^= 1;
            }
        }

        return next;
    }

    /// <summary>What the scan of a sync does: compares with the baseline and appends what differs; the changed pages too, if asked.</summary>
    internal static DeltaWriter Scan(JournalSession session, byte[][] live, bool keepPages = false)
    {
        using XorCodec codec = new();
        byte[] scratch = new byte[session.Layout.LargestChunkBytes];
        DeltaWriter writer = session.BeginDelta(keepPages);
        using Baseline baseline = session.OpenBaseline();
        for (int ordinal = 0; ordinal < live.Length; ordinal++)
        {
            Chunk chunk = session.Layout[ordinal];
            ReadOnlySpan<byte> before = baseline.Read(chunk, scratch, codec);
            bool isDamaged = session.IsDamaged(ordinal);
            if (!isDamaged && before.SequenceEqual(live[ordinal]))
            {
                continue;
            }

            Digest128 digest = isDamaged ? session.NewestDigest(ordinal) : Digest128.Of(before);
            Digest128 after = Digest128.Of(live[ordinal]);
            ElementType type = chunk.Tensor.Type;
            writer.Append(
                ordinal,
                type,
                isDamaged ? codec.EncodeRepair(type, live[ordinal]) : codec.Encode(type, type, before, live[ordinal]),
                digest,
                after
            );
            if (writer.Pages is { } kept && !isDamaged)
            {
                List<(int, int)> ranges = [];
                int pages = DirtyPages.Find(before, live[ordinal], chunk.FileOffset, ranges);
                kept.Keep(ordinal, ranges, pages, live[ordinal]);
            }
        }

        return writer;
    }

    /// <summary>One sync without its source: scan, commit, and fold or leave it.</summary>
    internal FoldReport? Sync(JournalSession session, byte[][] live, FoldWay? fold, bool keepPages = false)
    {
        using DeltaWriter writer = Scan(session, live, keepPages);
        session.Commit(writer, new VersionFacts { Label = new ConsistencyLabel(ConsistencyKind.Stable) });
        versions.Add(live);
        FoldReport? report = fold is { } way ? session.Fold(way, CancellationToken.None) : null;
        session.SaveState();
        return report;
    }

    /// <summary>The bytes of the newest version, as the next scan would see them.</summary>
    internal byte[][] BaselineChunks(JournalSession session)
    {
        using Baseline baseline = session.OpenBaseline();
        byte[] scratch = new byte[session.Layout.LargestChunkBytes];
        using IChunkCodec codec = session.Options.Codec();
        return
        [
            .. Enumerable
                .Range(0, session.Layout.ChunkCount)
                .Select(ordinal => baseline.Read(session.Layout[ordinal], scratch, codec).ToArray()),
        ];
    }
}
