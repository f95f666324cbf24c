using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>The shortcut from the scan to the fold: it may save work, and never changes what comes out.</summary>
public sealed class FreshPagesTests : IDisposable
{
    private readonly TempDirectory temp = TempDirectory.InMemory();
    private readonly JournaledModel model;
    private int applied;

    public FreshPagesTests()
    {
        model = JournaledModel.Create(Disk.Instance, temp.File("model"));
        model.Options = model.Options with { Codec = () => new CountingCodec(() => applied++) };
    }

    public void Dispose() => temp.Dispose();

    [Fact]
    public void A_patch_writes_the_pages_that_the_scan_saw_and_decodes_nothing()
    {
        using JournalSession session = model.OpenSession();

        FoldReport kept = model.Sync(session, model.Change(1), FoldWay.Patch, keepPages: true)!;
        Assert.Equal(0, applied);
        Assert.Equal(model.Versions[1], model.FileChunks());

        byte[][] back = model.Versions[0];
        FoldReport decoded = model.Sync(session, back, FoldWay.Patch)!;
        Assert.NotEqual(0, applied);
        Assert.Equal(back, model.FileChunks());
        Assert.Equal(decoded.Shards.Select(shard => shard.DirtyPages), kept.Shards.Select(shard => shard.DirtyPages));
        Assert.Equal(decoded.WrittenBytes, kept.WrittenBytes);
    }

    [Fact]
    public void A_shard_that_is_a_version_behind_is_folded_from_its_deltas()
    {
        using JournalSession session = model.OpenSession();
        model.Sync(session, model.Change(1, "a"), fold: null, keepPages: true);
        applied = 0;

        model.Sync(session, model.Change(2, "a"), FoldWay.Patch, keepPages: true);

        Assert.NotEqual(0, applied);
        Assert.Equal(model.Versions[2], model.FileChunks());
    }

    [Fact]
    public void Another_session_folds_from_the_deltas()
    {
        using (JournalSession session = model.OpenSession())
        {
            model.Sync(session, model.Change(1), fold: null, keepPages: true);
        }

        using JournalSession later = model.OpenSession();
        later.Fold(FoldWay.Patch, CancellationToken.None);
        Assert.Equal(model.Versions[1], model.FileChunks());
    }

    [Fact]
    public void Bytes_that_something_else_changed_between_scan_and_fold_are_left_as_they_are()
    {
        using JournalSession session = model.OpenSession();
        byte[][] next = [.. model.Versions[0].Select(bytes => bytes.ToArray())];
        next[0][0] ^= 1;
        using DeltaWriter writer = JournaledModel.Scan(session, next, keepPages: true);
        session.Commit(writer, new VersionFacts { Label = new ConsistencyLabel(ConsistencyKind.Stable) });
        long place = session.Layout[0].FileOffset + session.Layout[0].ByteLength - 1;
        using (IDiskFile shard = Disk.Instance.Open(session.Layout[0].Shard.FilePath, writable: true))
        {
            shard.Write([0xee], place);
        }

        byte[][] before = model.FileChunks();
        CheckpointException refused = Assert.Throws<CheckpointException>(() => session.Fold(FoldWay.Patch, CancellationToken.None));

        Assert.Equal(CheckpointError.ShardForeign, refused.Error);
        Assert.Equal(before, model.FileChunks());
    }

    [Fact]
    public void The_last_word_on_a_chunk_counts()
    {
        FreshPages pages = new();
        pages.Keep(3, [(0, 2)], 1, [1, 2, 3, 4]);
        pages.Keep(3, [(0, 1), (3, 1)], 2, [5, 6, 7, 8]);
        FreshChunk chunk = Assert.Single(pages.TryFind([3])!);
        Assert.Equal([5, 8], chunk.Values);
        Assert.Equal(2, chunk.Pages);

        pages.Forget(3);
        Assert.Null(pages.TryFind([3]));
        Assert.Empty(pages.TryFind([])!);
    }

    [Fact]
    public void Once_they_are_too_many_all_are_let_go()
    {
        FreshPages pages = new();
        byte[] half = new byte[FreshPages.MostBytes / 2];
        pages.Keep(0, [(0, half.Length)], 1, half);
        pages.Keep(1, [(0, half.Length)], 1, half);
        Assert.Equal(2, pages.TryFind([0, 1])!.Count);

        pages.Keep(2, [(0, 1)], 1, half);
        Assert.Null(pages.TryFind([0]));
        pages.Keep(2, [(0, 1)], 1, half);
        Assert.Null(pages.TryFind([2]));
    }

    [Fact]
    public void A_chunk_that_is_said_again_makes_room_for_itself()
    {
        FreshPages pages = new();
        byte[] all = new byte[FreshPages.MostBytes];
        pages.Keep(0, [(0, all.Length)], 1, all);
        pages.Keep(0, [(0, all.Length)], 1, all);
        Assert.NotNull(pages.TryFind([0]));
    }
}
