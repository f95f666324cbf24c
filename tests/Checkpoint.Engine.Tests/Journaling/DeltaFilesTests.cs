using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>A long history takes no more file handles than a short one.</summary>
public sealed class DeltaFilesTests : IDisposable
{
    private const int Count = DeltaFiles.MostOpen + 40;
    private readonly TempDirectory temp = TempDirectory.InMemory();
    private readonly JournaledModel model;

    public DeltaFilesTests()
    {
        model = JournaledModel.Create(Disk.Instance, temp.File("model"));
        for (int i = 1; i <= Count; i++)
        {
            using JournalSession session = model.OpenSession();
            model.Sync(session, model.Change(i, "d"), i % 20 == 0 ? FoldWay.Patch : null);
        }
    }

    public void Dispose() => temp.Dispose();

    [Fact]
    public void A_walk_over_a_long_history_holds_few_files_open_and_reaches_its_end()
    {
        using JournalSession session = model.OpenSession();
        using IChunkCodec codec = session.Options.Codec();
        using VersionWalk walk = new(session, 0);
        byte[][] files = model.FileChunks();
        for (int ordinal = 0; ordinal < files.Length; ordinal++)
        {
            walk.Bring(session.Layout[ordinal], files[ordinal], codec);
        }

        Assert.True(files.Zip(model.Versions[0]).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)));
        Assert.InRange(OpenDeltas(), 1, DeltaFiles.MostOpen + 8);
    }

    [Fact]
    public void A_delta_that_was_removed_meanwhile_is_an_error_that_says_so()
    {
        using JournalSession session = model.OpenSession();
        using IChunkCodec codec = session.Options.Codec();
        using VersionWalk walk = new(session, 0);
        File.Delete(model.Paths.Delta(1));
        byte[] bytes = model.FileChunks()[^1];

        CheckpointException e = Assert.Throws<CheckpointException>(() =>
            walk.Bring(session.Layout[session.Layout.ChunkCount - 1], bytes, codec)
        );

        Assert.Equal(CheckpointError.VersionUnknown, e.Error);
        Assert.Contains("was removed while it was needed", e.Message);
    }

    private int OpenDeltas() =>
        Directory
            .GetFiles("/proc/self/fd")
            .Count(path => new FileInfo(path).LinkTarget?.StartsWith(model.Paths.Journal, StringComparison.Ordinal) ?? false);
}
