using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Baselines;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Fuzzing;

/// <summary>A tiny model directory with two versions that are not folded yet, made by the engine itself: the files to spoil.</summary>
internal sealed class FuzzJournal
{
    private static readonly TinyTensor[] Tensors =
    [
        new("a", ElementType.BF16, 96, 64),
        new("b", ElementType.F32, 600),
        new("c", ElementType.F16, 40, 32),
        new("d", ElementType.U8, 300),
    ];

    private FuzzJournal(string path)
    {
        Path = path;
        Paths = new StatePaths(path);
        TinyModel.Write(path, Tensors);
        Model = ModelDirectory.Open(Disk.Instance, path);
    }

    /// <summary>The model directory.</summary>
    internal string Path { get; }

    internal StatePaths Paths { get; }

    internal ModelDirectory Model { get; }

    /// <summary>The history's id.</summary>
    internal Digest128 Lineage { get; private set; }

    /// <summary>What a baseline file of it must be of.</summary>
    internal BaselineStamp Stamp { get; private set; }

    internal static JournalOptions Options { get; } =
        new()
        {
            Codec = () => new ChunkCodec(),
            Workers = 1,
            AllowUnfitFileSystem = true,
        };

    internal static FuzzJournal Make(string path)
    {
        FuzzJournal journal = new(path);
        Random random = new(1);
        for (int version = 1; version <= 2; version++)
        {
            using JournalSession session = JournalSession.Open(Disk.Instance, journal.Model, Options, CancellationToken.None);
            journal.Commit(session, random);
            session.SaveState();
            journal.Lineage = session.Lineage;
            journal.Stamp = new BaselineStamp(session.Lineage, session.Layout.Identity, session.Root, session.Newest, new Digest128(0, 77));
        }

        return journal;
    }

    /// <summary>The redo that a patch of the only shard would write, taken back before anything was patched.</summary>
    internal byte[] MakeRedo()
    {
        using JournalSession session = JournalSession.Open(Disk.Instance, Model, Options, CancellationToken.None);
        using Baseline baseline = session.OpenBaseline();
        using ChunkCodec codec = new();
        Shard shard = session.Layout.Shards[0];
        byte[] scratch = new byte[session.Layout.LargestChunkBytes];
        using (RedoWriter writer = RedoWriter.Create(session, shard, 4096))
        {
            foreach (int ordinal in session.OrdinalsOf(shard))
            {
                Chunk chunk = session.Layout[ordinal];
                ReadOnlySpan<byte> after = baseline.Read(chunk, scratch, codec);
                (int, int)[] ranges = [(0, after.Length / 2), (after.Length / 2 + 1, after.Length - after.Length / 2 - 1)];
                writer.Add(ordinal, session.NewestDigest(ordinal), ranges, after);
            }

            writer.Seal(shard);
        }

        byte[] redo = File.ReadAllBytes(Paths.RedoOf(shard.FileName));
        File.Delete(Paths.RedoOf(shard.FileName));
        return redo;
    }

    /// <summary>A scan in which every second chunk was read as bf16.</summary>
    private void Commit(JournalSession session, Random random)
    {
        using Baseline baseline = session.OpenBaseline();
        using DeltaWriter writer = session.BeginDelta();
        using ChunkCodec codec = new();
        byte[] scratch = new byte[session.Layout.LargestChunkBytes];
        for (int ordinal = 0; ordinal < session.Layout.ChunkCount; ordinal++)
        {
            Chunk chunk = session.Layout[ordinal];
            ElementType type = chunk.Tensor.Type;
            byte[] before = baseline.Read(chunk, scratch, codec).ToArray();
            byte[] after = [.. before];
            TrainerStep.Apply(after, type, session.Newest == 0 ? 0.05 : 0.6, random);
            after[0] ^= 1;
            ElementType live = type == ElementType.F32 && session.Newest == 0 ? ElementType.BF16 : type;
            Digest128 digest = Digest128.Of(after);
            writer.Append(ordinal, live, codec.Encode(type, live, before, after), session.NewestDigest(ordinal), digest);
        }

        session.Commit(writer, new VersionFacts { Label = new ConsistencyLabel(ConsistencyKind.Mixed, null, ["a", "b"]), Step = 12 });
    }
}
