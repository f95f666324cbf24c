using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

public sealed class JournalSessionTests : IDisposable
{
    private readonly TempDirectory temp = TempDirectory.InMemory();
    private readonly JournaledModel model;

    public JournalSessionTests() => model = JournaledModel.Create(Disk.Instance, temp.File("model"));

    public void Dispose() => temp.Dispose();

    [Fact]
    public void First_opening_takes_the_files_for_version_0()
    {
        using JournalSession session = model.OpenSession();

        Assert.True(session.IsFirst);
        Assert.Equal((0, 0), (session.Newest, session.FilesVersion));
        Assert.Equal(model.Versions[0], model.BaselineChunks(session));
        Assert.True(File.Exists(model.Paths.Digests));
        Assert.True(File.Exists(model.Paths.State));
    }

    [Theory]
    [InlineData(FoldWay.Auto)]
    [InlineData(FoldWay.Patch)]
    [InlineData(FoldWay.Replace)]
    public void A_version_is_committed_folded_and_found_again(FoldWay way)
    {
        using (JournalSession session = model.OpenSession())
        {
            FoldReport? report = model.Sync(session, model.Change(1), way);
            Assert.Null(report?.Warning);
            Assert.Equal((1, 1), (session.Newest, session.FilesVersion));
        }

        Assert.Equal(model.Versions[1], model.FileChunks());
        using JournalSession again = model.OpenSession();
        Assert.Equal((1, 1, false), (again.Newest, again.FilesVersion, again.IsFirst));
        Assert.Empty(again.Recovered);
        Assert.Equal(model.Versions[1], model.BaselineChunks(again));
    }

    [Fact]
    public void Deltas_that_are_not_folded_are_applied_on_the_fly_and_folded_later()
    {
        for (int i = 1; i <= 3; i++)
        {
            using JournalSession session = model.OpenSession();
            model.Sync(session, model.Change(i, i == 2 ? ["a"] : ["a", "c"]), fold: null);
            Assert.Equal((i, 0), (session.Newest, session.FilesVersion));
        }

        Assert.Equal(model.Versions[0], model.FileChunks());
        using JournalSession last = model.OpenSession();
        Assert.Equal(model.Versions[3], model.BaselineChunks(last));
        Assert.Null(last.Fold(FoldWay.Auto, CancellationToken.None).Warning);
        Assert.Equal(model.Versions[3], model.FileChunks());
        Assert.Equal(3, last.FilesVersion);
    }

    [Fact]
    public void Only_one_session_at_a_time_holds_a_directory()
    {
        using JournalSession session = model.OpenSession();

        CheckpointException e = Assert.Throws<CheckpointException>(model.OpenSession);
        Assert.Equal(CheckpointError.Locked, e.Error);
    }
}
