using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using CsCheck;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

public sealed class FoldTests : IDisposable
{
    private readonly TempDirectory temp = TempDirectory.InMemory();
    private readonly JournaledModel model;

    public FoldTests()
    {
        model = JournaledModel.Create(Disk.Instance, temp.File("model"));
        using JournalSession session = model.OpenSession();
        model.Sync(session, model.Change(1), fold: null);
    }

    public void Dispose() => temp.Dispose();

    private Shard First => model.Open().Layout.Shards[0];

    [Fact]
    public void A_patch_keeps_the_inode_and_a_replacement_keeps_mode_and_owner()
    {
        File.SetUnixFileMode(First.FilePath, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        FileEntry before = ShardFiles.Look(Disk.Instance, First);
        using JournalSession session = model.OpenSession();

        Assert.Equal(FoldWay.Patch, session.Fold(FoldWay.Patch, CancellationToken.None).Shards[0].Way);
        FileEntry patched = ShardFiles.Look(Disk.Instance, First);
        Assert.Equal((before.Inode, before.Mode, before.Length), (patched.Inode, patched.Mode, patched.Length));

        model.Sync(session, model.Change(2), FoldWay.Replace);
        FileEntry replaced = ShardFiles.Look(Disk.Instance, First);
        Assert.NotEqual(before.Inode, replaced.Inode);
        Assert.Equal((before.Mode, before.Owner, before.Length), (replaced.Mode, replaced.Owner, replaced.Length));
        Assert.Equal(model.Versions[2], model.FileChunks());
    }

    [Fact]
    public void A_replacement_leaves_the_old_file_whole_for_who_has_it_open()
    {
        byte[] old = File.ReadAllBytes(First.FilePath);
        using IDiskFile loader = Disk.Instance.Open(First.FilePath);
        using JournalSession session = model.OpenSession();

        session.Fold(FoldWay.Replace, CancellationToken.None);

        byte[] seen = new byte[old.Length];
        loader.Read(seen, 0);
        Assert.Equal(old, seen);
    }

    [Fact]
    public void Auto_patches_where_few_pages_changed_and_replaces_where_most_did()
    {
        using JournalSession session = model.OpenSession();
        Assert.All(session.Fold(FoldWay.Auto, CancellationToken.None).Shards, shard => Assert.Equal(FoldWay.Replace, shard.Way));
        byte[][] next = [.. model.Versions[^1].Select(bytes => bytes.ToArray())];
        next[0][6000] ^= 1;

        FoldReport report = model.Sync(session, next, FoldWay.Auto)!;

        FoldedShard only = Assert.Single(report.Shards);
        Assert.Equal((First.FileName, FoldWay.Patch, 1L), (only.FileName, only.Way, only.DirtyPages));
        Assert.InRange(only.WrittenBytes, 4096, 3 * 4096);
        Assert.Equal(next, model.FileChunks());
    }

    [Fact]
    public void A_shard_is_patched_in_slices_within_the_bound()
    {
        model.Options = model.Options with { RedoSliceBytes = 1 };
        using (JournalSession session = model.OpenSession())
        {
            Assert.Null(session.Fold(FoldWay.Patch, CancellationToken.None).Warning);
        }

        Assert.Equal(model.Versions[1], model.FileChunks());
        Assert.Empty(Directory.GetFiles(model.Paths.Redo));
        using JournalSession again = model.OpenSession();
        Assert.Equal((1, 1), (again.Newest, again.FilesVersion));
    }

    [Fact]
    public void A_fold_held_by_a_reader_keeps_the_version_for_later()
    {
        using (JournalSession session = model.OpenSession())
        using (DirectoryLocks.TryHoldShards(Disk.Instance, model.Paths))
        {
            FoldReport report = session.Fold(FoldWay.Auto, CancellationToken.None);
            Assert.Equal("version 1 kept, files at 0: a reader holds the shards still", report.Warning);
            Assert.Empty(report.Shards);
        }

        Assert.Equal(model.Versions[0], model.FileChunks());
        using JournalSession later = model.OpenSession();
        Assert.Equal((1, 0), (later.Newest, later.FilesVersion));
        Assert.Null(later.Fold(FoldWay.Auto, CancellationToken.None).Warning);
        Assert.Equal(model.Versions[1], model.FileChunks());
    }

    [Fact]
    public void A_linked_shard_is_refused_and_the_file_behind_it_untouched()
    {
        string behind = LinkFirstShard();
        byte[] before = File.ReadAllBytes(behind);
        using JournalSession session = model.OpenSession();

        CheckpointException e = Assert.Throws<CheckpointException>(() => session.Fold(FoldWay.Patch, CancellationToken.None));

        Assert.Equal(CheckpointError.ShardLinked, e.Error);
        Assert.Throws<CheckpointException>(() => LinkedShards.Refuse(session.Layout));
        Assert.Equal(before, File.ReadAllBytes(behind));
    }

    [Fact]
    public void A_linked_shard_is_replaced_by_a_private_file_when_that_is_asked()
    {
        string behind = LinkFirstShard();
        byte[] before = File.ReadAllBytes(behind);
        model.Options = model.Options with { ReplaceLinks = true };
        using JournalSession session = model.OpenSession();

        FoldReport report = session.Fold(FoldWay.Patch, CancellationToken.None);

        Assert.Equal([FoldWay.Replace, FoldWay.Patch], report.Shards.Select(shard => shard.Way));
        Assert.Null(First.LinkProblem);
        Assert.Equal(before, File.ReadAllBytes(behind));
        Assert.Equal(model.Versions[1], model.FileChunks());
    }

    [Fact]
    public void A_hard_linked_shard_is_refused()
    {
        CreateHardLink(First.FilePath, temp.File("second name"));
        using JournalSession session = model.OpenSession();

        CheckpointException e = Assert.Throws<CheckpointException>(() => session.Fold(FoldWay.Replace, CancellationToken.None));
        Assert.Equal(CheckpointError.ShardLinked, e.Error);
    }

    [Fact]
    public void A_redo_settles_any_mix_of_old_and_new_sectors()
    {
        (byte[] redo, byte[] table, byte[] old, byte[] next) = HalfPatched();
        Gen.Int[0, 10_000]
            .Sample(
                seed =>
                {
                    Random random = new(seed);
                    byte[] mix = [.. old];
                    for (int sector = 0; sector < mix.Length; sector += 512)
                    {
                        if (random.Next(2) > 0)
                        {
                            int length = Math.Min(512, mix.Length - sector);
                            next.AsSpan(sector, length).CopyTo(mix.AsSpan(sector));
                        }
                    }

                    File.WriteAllBytes(First.FilePath, mix);
                    File.WriteAllBytes(model.Paths.RedoOf(First.FileName), redo);
                    File.WriteAllBytes(model.Paths.Digests, table);
                    using JournalSession session = model.OpenSession();

                    Assert.Equal((1, 1), (session.Newest, session.FilesVersion));
                    Assert.Equal(next, File.ReadAllBytes(First.FilePath));
                    Assert.Empty(Directory.GetFiles(model.Paths.Redo));
                },
                iter: 50,
                threads: 1
            );
    }

    [Fact]
    public void A_redo_that_is_not_whole_or_not_newer_is_deleted()
    {
        (byte[] redo, byte[] table, byte[] old, byte[] next) = HalfPatched();
        // Not newer: digests and shards are of version 1 already.
        File.WriteAllBytes(model.Paths.RedoOf(First.FileName), redo);
        model.OpenSession().Dispose();
        Assert.Empty(Directory.GetFiles(model.Paths.Redo));
        Assert.Equal(next, File.ReadAllBytes(First.FilePath));

        // Not whole: the shard was not touched, and is not.
        File.WriteAllBytes(First.FilePath, old);
        File.WriteAllBytes(model.Paths.Digests, table);
        File.WriteAllBytes(model.Paths.RedoOf(First.FileName), redo[..^1]);
        model.OpenSession().Dispose();
        Assert.Empty(Directory.GetFiles(model.Paths.Redo));
    }

    [Fact]
    public void A_damaged_redo_is_never_applied()
    {
        (byte[] redo, byte[] table, byte[] old, _) = HalfPatched();
        File.WriteAllBytes(First.FilePath, old);
        string path = model.Paths.RedoOf(First.FileName);
        ModelLayout layout = model.Open().Layout;
        Digest128 lineage = DigestTable.TryRead(Disk.Instance, model.Paths.Digests)!.Lineage;
        for (int bit = 0; bit < redo.Length * 8; bit += 1 + bit / 400)
        {
            byte[] damaged = [.. redo];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(path, damaged);
            Assert.Null(RedoReader.TryOpen(Disk.Instance, path, lineage, layout, First));
        }
    }

    [Fact]
    public void A_shard_with_a_redo_that_a_reader_holds_back_is_read_with_the_redo_laid_over()
    {
        (byte[] redo, byte[] table, byte[] old, byte[] next) = HalfPatched();
        byte[] mix = [.. old[..(old.Length / 2)], .. next[(old.Length / 2)..]];
        File.WriteAllBytes(First.FilePath, mix);
        File.WriteAllBytes(model.Paths.RedoOf(First.FileName), redo);
        File.WriteAllBytes(model.Paths.Digests, table);
        using (DirectoryLocks.TryHoldShards(Disk.Instance, model.Paths))
        using (JournalSession session = model.OpenSession())
        {
            Assert.Equal(model.Versions[1], model.BaselineChunks(session));
            Assert.Equal(mix, File.ReadAllBytes(First.FilePath));
            Assert.NotEmpty(session.Warnings);
            // A version on top of it does not disturb it.
            model.Sync(session, model.Change(9), FoldWay.Auto);
        }

        using JournalSession later = model.OpenSession();
        Assert.Equal((2, 1), (later.Newest, later.FilesVersion));
        Assert.Equal(model.Versions[1], model.FileChunks());
        Assert.Equal(model.Versions[2], model.BaselineChunks(later));
    }

    /// <summary>Digests as before the patch, the redo as it was sealed, and the first shard's bytes before and after.</summary>
    private (byte[] Redo, byte[] Table, byte[] Old, byte[] Next) HalfPatched()
    {
        using JournalSession session = model.OpenSession();
        byte[] table = File.ReadAllBytes(model.Paths.Digests);
        byte[] old = File.ReadAllBytes(First.FilePath);
        using (PatchFold patch = new(session, CancellationToken.None))
        {
            patch.Run(First);
        }

        byte[] redo = File.ReadAllBytes(model.Paths.RedoOf(First.FileName));
        byte[] next = File.ReadAllBytes(First.FilePath);
        session.Fold(FoldWay.Patch, CancellationToken.None);
        return (redo, table, old, next);
    }

    private string LinkFirstShard()
    {
        string behind = temp.File("blob");
        File.Move(First.FilePath, behind);
        File.CreateSymbolicLink(System.IO.Path.Combine(model.Path, "model-00001-of-00002.safetensors"), behind);
        return behind;
    }

    private static void CreateHardLink(string from, string to)
    {
        using System.Diagnostics.Process link = System.Diagnostics.Process.Start("ln", [from, to]);
        link.WaitForExit();
        Assert.Equal(0, link.ExitCode);
    }
}
