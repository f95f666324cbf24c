using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Baselines;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>What is kept ready saves work and is never believed: whatever happens to it, the bytes of the newest version are the same.</summary>
public sealed class BaselineCacheTests : IDisposable
{
    private readonly TempDirectory temp = TempDirectory.InMemory();
    private readonly JournaledModel model;
    private int applied;

    public BaselineCacheTests()
    {
        model = JournaledModel.Create(Disk.Instance, temp.File("model"));
        model.Options = new JournalOptions
        {
            Codec = () => new CountingCodec(() => applied++),
            Workers = 1,
            BaselineFolder = temp.File("ready"),
            BootId = "this boot",
        };
    }

    private string Ready => Assert.Single(Directory.GetFiles(temp.File("ready")));

    public void Dispose() => temp.Dispose();

    [Fact]
    public void A_chain_of_versions_reads_the_same_with_it_and_without_and_applies_no_delta_twice()
    {
        for (int version = 1; version <= 5; version++)
        {
            // The first change touches every chunk, later ones two of four.
            Sync(model.Change(version, version == 1 ? [] : ["a", "d"]));
            Assert.Equal(version == 1 ? 4 : 2, applied);
            applied = 0;
            Assert.Equal(model.Versions[version], Read(out IReadOnlyList<string> warnings));
            Assert.Equal(0, applied);
            Assert.Empty(warnings);
            Assert.Equal(model.Versions[version], WithoutIt());
            applied = 0;
        }
    }

    [Fact]
    public void It_is_private_and_holds_only_what_the_shards_do_not()
    {
        Sync(model.Change(1, "d"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Ready));
        byte[] content = File.ReadAllBytes(Ready);
        byte[] last = model.Versions[1][^1];
        Assert.True(content.AsSpan().IndexOf(last) >= 0);
        Assert.True(content.AsSpan().IndexOf(model.Versions[1][0]) < 0);
    }

    [Fact]
    public void After_a_fold_its_memory_is_given_back()
    {
        Sync(model.Change(1));
        Assert.NotEmpty(Directory.GetFiles(temp.File("ready")));
        using JournalSession session = model.OpenSession();
        session.Fold(FoldWay.Auto, CancellationToken.None);
        session.Ready!.Update(CancellationToken.None);
        Assert.Empty(Directory.GetFiles(temp.File("ready")));
    }

    // Places of the head, by docs/format-baseline.md: magic, version, whole, lineage, identity, root, version, boot, bits, checksum.
    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(10)]
    [InlineData(16)]
    [InlineData(32)]
    [InlineData(48)]
    [InlineData(64)]
    [InlineData(72)]
    [InlineData(88)]
    [InlineData(89)]
    public void One_whose_head_says_anything_else_is_discarded_and_made_anew(int place)
    {
        Sync(model.Change(1));
        Flip(place);
        AssertDiscarded();
    }

    [Fact]
    public void One_that_was_being_written_is_discarded_and_made_anew()
    {
        Sync(model.Change(1));
        using (JournalSession session = model.OpenSession())
        {
            model.Sync(session, model.Change(2), fold: null);
            using CancellationTokenSource stopped = new();
            stopped.Cancel();
            Assert.Throws<OperationCanceledException>(() => session.Ready!.Update(stopped.Token));
        }

        Assert.Equal(0, File.ReadAllBytes(Ready)[10]);
        AssertDiscarded();
    }

    [Fact]
    public void One_of_another_length_is_discarded_and_made_anew()
    {
        Sync(model.Change(1));
        using (FileStream file = File.OpenWrite(Ready))
        {
            file.SetLength(file.Length - 1);
        }

        AssertDiscarded();
    }

    [Fact]
    public void One_of_another_boot_is_discarded_and_made_anew()
    {
        Sync(model.Change(1));
        model.Options = model.Options with { BootId = "the next boot" };
        AssertDiscarded();
    }

    [Fact]
    public void One_that_a_version_passed_by_is_discarded_and_made_anew()
    {
        Sync(model.Change(1));
        JournalOptions options = model.Options;
        model.Options = options with { BaselineFolder = null };
        using (JournalSession session = model.OpenSession())
        {
            model.Sync(session, model.Change(2, "a"), fold: null);
        }

        model.Options = options;
        AssertDiscarded();
    }

    [Fact]
    public void Damage_in_it_is_no_damage_of_the_model()
    {
        Sync(model.Change(1));
        Flip((int)(new FileInfo(Ready).Length - 100));
        using (JournalSession session = model.OpenSession())
        {
            Assert.Equal(model.Versions[1], model.BaselineChunks(session));
            session.Ready!.Update(CancellationToken.None);
            Assert.Contains("was damaged", Assert.Single(session.Warnings));
        }

        applied = 0;
        Assert.Equal(model.Versions[1], Read(out _));
        Assert.Equal(0, applied);
    }

    [Fact]
    public void A_reader_uses_it_and_leaves_it()
    {
        Sync(model.Change(1));
        byte[] before = File.ReadAllBytes(Ready);
        model.Options = model.Options with { ReadOnly = true };
        applied = 0;
        Assert.Equal(model.Versions[1], Read(out _));
        Assert.Equal(0, applied);
        Assert.Equal(before, File.ReadAllBytes(Ready));
    }

    [Fact]
    public void A_folder_where_others_can_write_is_refused()
    {
        temp.Folder("ready");
        File.SetUnixFileMode(temp.File("ready"), (UnixFileMode)0x1FF);
        CheckpointException e = Assert.Throws<CheckpointException>(model.OpenSession);
        Assert.Equal((CheckpointError.Usage, 2), (e.Error, e.ExitCode));
        Assert.Contains("somebody else can write there", e.Message);
    }

    [Fact]
    public void A_file_in_the_place_of_the_folder_is_refused()
    {
        File.WriteAllText(temp.File("ready"), "");
        CheckpointException e = Assert.Throws<CheckpointException>(model.OpenSession);
        Assert.Equal(CheckpointError.Usage, e.Error);
        Assert.Contains("is not a folder", e.Message);
    }

    [Fact]
    public void A_link_in_its_place_is_refused()
    {
        Sync(model.Change(1));
        string path = Ready;
        File.Move(path, temp.File("elsewhere"));
        File.CreateSymbolicLink(path, temp.File("elsewhere"));
        Assert.Contains("not a private file", Assert.Throws<CheckpointException>(model.OpenSession).Message);
    }

    [Theory]
    // The disk counts the file's whole length, 26 kB, and an eighth of what is then free stays free: the small chunks fit, or none.
    [InlineData(30_000, false, "has no room for 2 of 4 chunks")]
    [InlineData(0, false, "has no room for 4 of 4 chunks")]
    [InlineData(30_000, true, "is not kept ready in /ready/")]
    public void A_full_memory_costs_no_version(int room, bool isSurprise, string warning)
    {
        CrashingDisk disk = new();
        JournaledModel crowded = JournaledModel.Create(disk, "/model");
        crowded.Options = model.Options with { BaselineFolder = "/ready" };
        using (JournalSession session = crowded.OpenSession())
        {
            crowded.Sync(session, crowded.Change(1), fold: null);
            disk.Capacity -= disk.AvailableBytes("/") - room;
            disk.Fault = isSurprise ? new DiskFault(disk.Begun + 3, DiskFaultKind.NoSpace, IsPersistent: true) : null;
            session.Ready!.Update(CancellationToken.None);
            disk.Fault = null;
            Assert.Contains(warning, Assert.Single(session.Warnings));
        }

        Assert.Equal(isSurprise ? 0 : 1, disk.List("/ready").Count);
        using JournalSession next = crowded.OpenSession();
        Assert.Equal(crowded.Versions[1], crowded.BaselineChunks(next));
        Assert.Equal(room > 0 && !isSurprise, next.Ready!.TryRead(next.Layout[3], new byte[300]));
    }

    private void Sync(byte[][] live)
    {
        using JournalSession session = model.OpenSession();
        applied = 0;
        model.Sync(session, live, fold: null);
        session.Ready!.Update(CancellationToken.None);
        Assert.Empty(session.Warnings);
    }

    private byte[][] Read(out IReadOnlyList<string> warnings)
    {
        using JournalSession session = model.OpenSession();
        warnings = session.Warnings;
        return model.BaselineChunks(session);
    }

    private byte[][] WithoutIt()
    {
        JournaledModel other = new(Disk.Instance, model.Path) { Options = model.Options with { BaselineFolder = null } };
        using JournalSession session = other.OpenSession();
        return other.BaselineChunks(session);
    }

    private void Flip(int place)
    {
        byte[] content = File.ReadAllBytes(Ready);
        content[place] ^= 1;
        using FileStream file = File.OpenWrite(Ready);
        file.Write(content);
    }

    /// <summary>The next run reads the newest version from the deltas; the one after it finds it ready again.</summary>
    private void AssertDiscarded()
    {
        using (JournalSession session = model.OpenSession())
        {
            Assert.False(session.Ready!.TryRead(session.Layout[0], new byte[session.Layout[0].ByteLength]));
            Assert.Equal(model.Versions[^1], model.BaselineChunks(session));
            session.Ready.Update(CancellationToken.None);
            Assert.Empty(session.Warnings);
        }

        using JournalSession next = model.OpenSession();
        Assert.True(next.Ready!.TryRead(next.Layout[0], new byte[next.Layout[0].ByteLength]));
        Assert.Equal(model.Versions[^1], model.BaselineChunks(next));
    }
}
