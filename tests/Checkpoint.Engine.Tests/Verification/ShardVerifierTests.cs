using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Tests.Journaling;
using ApolloCheckpoint.Engine.Verification;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Verification;

public sealed class ShardVerifierTests
{
    private readonly CrashingDisk disk = new();
    private readonly JournaledModel model;

    public ShardVerifierTests()
    {
        model = JournaledModel.Create(disk, "/model");
        for (int i = 1; i <= 3; i++)
        {
            using JournalSession session = model.OpenSession();
            model.Sync(session, model.Change(i), i <= 2 ? FoldWay.Auto : null);
        }
    }

    private Chunk First => model.Open().Layout[0];

    [Fact]
    public void Whole_files_of_an_older_version_than_the_newest_are_good()
    {
        VerifyReport report = Verify();
        Assert.Empty(report.Damage);
        Assert.Equal((2, 2, 3), (report.FilesVersion, report.Shards, report.Deltas));
        Assert.Equal(model.Open().Layout.Shards.Sum(shard => shard.Length), report.Bytes);
        report.RequireGood("/model");
    }

    [Fact]
    public void A_changed_byte_is_found_and_its_tensor_named()
    {
        Write(First.Shard.FilePath, First.FileOffset + 7, [0xAA, 0xBB]);
        VerifyReport report = Verify();
        VerifyDamage damage = Assert.Single(report.Damage);
        Assert.Equal(
            ("bytes", First.Shard.FileName, "a", First.FileOffset, (long)First.ByteLength),
            (damage.Kind, damage.FileName, damage.Tensor, damage.FileOffset, damage.Length)
        );
        CheckpointException e = Assert.Throws<CheckpointException>(() => report.RequireGood("/model"));
        Assert.Equal(16, e.ExitCode);
    }

    [Fact]
    public void A_bad_sector_is_named_to_the_page()
    {
        long page = (First.FileOffset / 4096 + 1) * 4096;
        disk.MakeUnreadable(First.Shard.FilePath, page + 100, 512);
        VerifyDamage damage = Assert.Single(Verify().Damage);
        Assert.Equal(("unreadable", page, 4096L), (damage.Kind, damage.FileOffset, damage.Length));
    }

    [Fact]
    public void A_header_that_was_rewritten_is_found()
    {
        string path = First.Shard.FilePath;
        byte[] header = new byte[First.Shard.Header.DataStart];
        using (IDiskFile file = disk.Open(path))
        {
            file.Read(header, 0);
        }

        int at = header.AsSpan().IndexOf("\"a\""u8);
        Write(path, at + 1, "z"u8.ToArray());
        Write(
            $"/model/{ModelDirectory.IndexName}",
            0,
            System.Text.Encoding.UTF8.GetBytes(Index().Replace("\"a\"", "\"z\"", StringComparison.Ordinal))
        );
        VerifyDamage damage = Assert.Single(Verify().Damage);
        Assert.Equal(("header", First.Shard.FileName), (damage.Kind, damage.FileName));
    }

    [Fact]
    public void A_damaged_delta_is_found_without_applying_it()
    {
        Write(model.Paths.Delta(2), 30, [1, 2, 3, 4]);
        VerifyDamage damage = Assert.Single(Verify().Damage);
        Assert.Equal(("delta", "0000000002.delta"), (damage.Kind, damage.FileName));
    }

    [Fact]
    public void Everything_is_listed_not_only_the_first()
    {
        for (int ordinal = 0; ordinal < 3; ordinal++)
        {
            Chunk chunk = model.Open().Layout[ordinal];
            Write(chunk.Shard.FilePath, chunk.FileOffset, [1, 2, 3, 4, 5, 6, 7, 8]);
        }

        Assert.Equal(["a", "b", "c"], Verify().Damage.Select(damage => damage.Tensor));
    }

    [Fact]
    public void A_sync_may_hold_the_directory_meanwhile()
    {
        using JournalSession session = model.OpenSession();
        Assert.Empty(Verify().Damage);
    }

    [Fact]
    public void A_fold_at_work_is_not_disturbed()
    {
        using IDisposable? held = disk.TryLock(model.Paths.ShardsLock, shared: false);
        Assert.Equal(CheckpointError.ShardsHeld, Assert.Throws<CheckpointException>(Verify).Error);
    }

    [Fact]
    public void A_half_folded_model_is_recovered_first()
    {
        using (IDiskFile file = disk.Create(model.Paths.FoldingOf(First.Shard.FileName)))
        {
            file.Write([1], 0);
        }

        VerifyReport report = Verify();
        Assert.Empty(report.Damage);
        Assert.Single(report.Recovered);
    }

    [Fact]
    public void Lost_digests_are_made_anew_first()
    {
        disk.Delete(model.Paths.Digests);
        Assert.Empty(Verify().Damage);
    }

    [Fact]
    public void A_model_that_was_never_synced_has_nothing_to_compare_with()
    {
        JournaledModel fresh = JournaledModel.Create(disk, "/fresh");
        HistoryEngine engine = new("/fresh", options: fresh.Options, disk: disk);
        CheckpointException e = Assert.Throws<CheckpointException>(() => engine.Verify(CancellationToken.None));
        Assert.Equal(CheckpointError.VersionUnknown, e.Error);
        Assert.Null(disk.Stat("/fresh/.apollo"));
    }

    private VerifyReport Verify() => new HistoryEngine("/model", options: model.Options, disk: disk).Verify(CancellationToken.None);

    private string Index()
    {
        using IDiskFile file = disk.Open($"/model/{ModelDirectory.IndexName}");
        byte[] bytes = new byte[file.Length];
        file.Read(bytes, 0);
        return System.Text.Encoding.UTF8.GetString(bytes);
    }

    private void Write(string path, long fileOffset, byte[] bytes)
    {
        using IDiskFile file = disk.Open(path, writable: true);
        file.Write(bytes, fileOffset);
    }
}
