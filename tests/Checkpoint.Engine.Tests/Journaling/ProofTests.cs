using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Tests.Crashes;
using ApolloCheckpoint.Engine.Verification;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>Nothing is believed because we wrote it: on a disk that lies, with a codec that has a defect, beside somebody who writes too.</summary>
public sealed class ProofTests
{
    private readonly CrashingDisk disk = new();
    private readonly LyingDisk lying;
    private readonly JournaledModel model;

    public ProofTests()
    {
        lying = new LyingDisk(disk);
        model = JournaledModel.Create(lying, "/model");
    }

    [Fact]
    public void A_patch_that_reads_back_otherwise_is_found()
    {
        lying.Spoils = ".safetensors";
        Assert.Equal(CheckpointError.ShardForeign, Failure(FoldWay.Patch).Error);
    }

    [Fact]
    public void A_replacement_that_reads_back_otherwise_gets_no_name()
    {
        lying.Spoils = ".folding";
        Assert.Equal(CheckpointError.VerificationFailed, Failure(FoldWay.Replace).Error);
        Assert.Equal(model.Versions[0], model.FileChunks());
    }

    [Fact]
    public void A_replacement_of_another_length_gets_no_name()
    {
        lying.Lengthens = ".folding";
        Assert.Equal(CheckpointError.VerificationFailed, Failure(FoldWay.Replace).Error);
        Assert.Equal(model.Versions[0], model.FileChunks());
    }

    [Fact]
    public void Bytes_that_another_writes_beside_a_redo_are_found_before_the_patch()
    {
        byte[][] next = [.. model.Versions[0].Select(bytes => bytes.ToArray())];
        next[0][0] ^= 1;
        Chunk chunk = model.Open().Layout[0];
        disk.AfterOperation = operation =>
        {
            if (operation.Kind == DiskOperationKind.Rename && operation.Path.EndsWith(".redo", StringComparison.Ordinal))
            {
                using IDiskFile file = disk.Open(chunk.Shard.FilePath, writable: true);
                file.Write([1, 2, 3, 4, 5, 6, 7], chunk.FileOffset + chunk.ByteLength - 7);
            }
        };
        using JournalSession session = model.OpenSession();
        CheckpointException e = Assert.Throws<CheckpointException>(() => model.Sync(session, next, FoldWay.Patch));
        Assert.Equal(CheckpointError.ShardForeign, e.Error);
    }

    [Fact]
    public void Files_that_change_while_a_history_begins_begin_none()
    {
        Shard shard = model.Open().Layout.Shards[0];
        model.Options = model.Options with { Progress = new Meddler(() => Touch(shard.FilePath)) };
        Assert.Equal(CheckpointError.ShardChangedMeanwhile, Assert.Throws<CheckpointException>(model.OpenSession).Error);
        Assert.Null(lying.Stat(model.Paths.Digests));
    }

    [Fact]
    public void A_coded_change_that_does_not_give_the_bytes_back_makes_no_version_of_a_restore()
    {
        using (JournalSession session = model.OpenSession())
        {
            model.Sync(session, model.Change(1), FoldWay.Patch);
        }

        JournalOptions options = model.Options with { Codec = () => new LyingCodec() };
        HistoryEngine history = new("/model", options: options, disk: lying);
        CheckpointException e = Assert.Throws<CheckpointException>(() => history.Restore(0, null, FoldWay.Patch, CancellationToken.None));
        Assert.Equal(CheckpointError.Unexpected, e.Error);
        Assert.Null(lying.Stat(model.Paths.Delta(2)));
    }

    [Fact]
    public void A_coded_change_that_does_not_give_the_bytes_back_makes_no_version_of_a_sync()
    {
        byte[][] live = model.Change(1);
        ModelLayout layout = model.Open().Layout;
        FakeWeightSource source = new();
        for (int ordinal = 0; ordinal < live.Length; ordinal++)
        {
            TensorEntry tensor = layout[ordinal].Tensor;
            source.Add(new LiveTensor(tensor.Name, tensor.Type, tensor.Shape), live[ordinal]);
        }

        SyncEngine engine = new(lying, TimeProvider.System, (_, _) => new OpenedSource(source, "for a test"))
        {
            Journal = options => options with { Codec = () => new LyingCodec() },
        };
        SyncRequest request = new() { ModelDirectory = "/model" };
        CheckpointException e = Assert.Throws<CheckpointException>(() => engine.Sync(request, NoProgress.Instance, CancellationToken.None));
        Assert.Equal(CheckpointError.Unexpected, e.Error);
        Assert.Null(lying.Stat(model.Paths.Delta(1)));
    }

    [Fact]
    public void A_change_of_other_bytes_than_the_newest_is_not_committed()
    {
        byte[] after = model.Change(1)[0];
        using JournalSession session = model.OpenSession();
        using XorCodec codec = new();
        ElementType type = session.Layout[0].Tensor.Type;
        using DeltaWriter writer = session.BeginDelta();
        writer.Append(0, type, codec.Encode(type, type, model.Versions[0][0], after), default, Digest128.Of(after));
        VersionFacts facts = new() { Label = new ConsistencyLabel(ConsistencyKind.Stable) };
        Assert.ThrowsAny<Exception>(() => session.Commit(writer, facts));
        Assert.Null(lying.Stat(model.Paths.Delta(1)));
    }

    [Fact]
    public void Bytes_that_change_before_they_are_copied_are_found()
    {
        using JournalSession session = model.OpenSession();
        model.Sync(session, model.Change(1), FoldWay.Patch);
        Chunk chunk = session.Layout[0];
        using (IDiskFile file = disk.Open(chunk.Shard.FilePath, writable: true))
        {
            file.Write([1, 2, 3, 4, 5], chunk.FileOffset);
        }

        CheckpointException e = Assert.Throws<CheckpointException>(() =>
            RestoreCopy.Run(session, 0, "/copy", null, CancellationToken.None)
        );
        Assert.Equal(CheckpointError.ShardForeign, e.Error);
        Assert.Null(lying.Stat("/copy"));
    }

    [Fact]
    public void While_a_reader_holds_up_half_a_patch_nothing_is_copied_or_verified()
    {
        CrashStage stage = CrashStages.Killed(new CrashingDisk(), FoldWay.Patch, CrashStages.AmidPatch);
        using IDisposable? reader = stage.Disk.TryLock(stage.Model.Paths.ShardsLock, shared: true);
        Action copy = () => stage.History(stage.Disk).RestoreCopy(1, "/copy", null, CancellationToken.None);
        Action verify = () => ShardVerifier.Run(stage.Disk, stage.Model.Open(), stage.Model.Options, CancellationToken.None);
        Assert.All([copy, verify], action => Assert.Equal(CheckpointError.ShardsHeld, Assert.Throws<CheckpointException>(action).Error));
    }

    private CheckpointException Failure(FoldWay way)
    {
        using JournalSession session = model.OpenSession();
        return Assert.Throws<CheckpointException>(() => model.Sync(session, model.Change(1), way));
    }

    private void Touch(string path)
    {
        using IDiskFile file = disk.Open(path, writable: true);
        file.Write([1], file.Length - 1);
    }

    private sealed class Meddler(Action meddle) : IProgressSink
    {
        public void Begin(string stage, long totalBytes) => meddle();

        public void Advance(long bytes) { }

        public void End() { }
    }
}
