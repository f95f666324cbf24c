using ApolloCheckpoint.Engine.Storage;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Storage;

/// <summary>What every <see cref="IDisk"/> must do, the real one and the one that crashes.</summary>
public abstract class DiskContract
{
    private protected abstract IDisk Disk { get; }

    /// <summary>An existing, empty folder.</summary>
    private protected abstract string Folder { get; }

    private protected abstract void MakeLink(string path, string target);

    private protected abstract void MakeHardLink(string path, string existing);

    private string At(string name) => Path.Combine(Folder, name);

    [Fact]
    public void Written_bytes_are_read_back_at_their_offsets()
    {
        using IDiskFile file = Disk.Create(At("a"));
        file.Write([1, 2, 3, 4], 0);
        file.Write([9], 2);
        byte[] buffer = new byte[4];
        Assert.Equal(4, file.Read(buffer, 0));
        Assert.Equal([1, 2, 9, 4], buffer);
        Assert.Equal(2, file.Read(buffer, 2));
        Assert.Equal(0, file.Read(buffer, 4));
        Assert.Equal(4, file.Length);
    }

    [Fact]
    public void Gap_before_a_write_beyond_the_end_reads_as_zeros()
    {
        using IDiskFile file = Disk.Create(At("a"));
        file.Write([7], 2000);
        byte[] buffer = new byte[2001];
        Assert.Equal(2001, file.Read(buffer, 0));
        Assert.All(buffer[..2000], value => Assert.Equal(0, value));
        Assert.Equal(7, buffer[2000]);
    }

    [Fact]
    public void Length_can_be_cut_and_what_was_cut_comes_back_as_zeros()
    {
        using IDiskFile file = Disk.Create(At("a"));
        file.Write([1, 2, 3, 4], 0);
        file.SetLength(2);
        file.SetLength(4);
        byte[] buffer = new byte[4];
        Assert.Equal(4, file.Read(buffer, 0));
        Assert.Equal([1, 2, 0, 0], buffer);
    }

    [Fact]
    public void Allocated_space_lengthens_a_file_with_zeros_and_never_shortens_it()
    {
        using IDiskFile file = Disk.Create(At("a"));
        file.Write([5], 0);
        file.Allocate(3000);
        file.Allocate(10);
        Assert.Equal(3000, file.Length);
        byte[] buffer = new byte[2];
        file.Read(buffer, 0);
        Assert.Equal([5, 0], buffer);
    }

    [Fact]
    public void File_opened_again_has_the_bytes_that_were_written()
    {
        WriteFile("a", [1, 2, 3]);
        Assert.Equal([1, 2, 3], ReadFile("a"));
        using IDiskFile file = Disk.Open(At("a"), writable: true);
        file.Write([8], 1);
        Assert.Equal([1, 8, 3], ReadFile("a"));
    }

    [Fact]
    public void Write_to_a_file_opened_for_reading_fails()
    {
        WriteFile("a", [1]);
        using IDiskFile file = Disk.Open(At("a"));
        Assert.Throws<CheckpointException>(() => file.Write([2], 0));
        Assert.Equal([1], ReadFile("a"));
    }

    [Fact]
    public void File_stays_readable_through_an_open_handle_when_its_name_is_gone()
    {
        WriteFile("a", [1, 2]);
        using IDiskFile file = Disk.Open(At("a"));
        Disk.Delete(At("a"));
        byte[] buffer = new byte[2];
        Assert.Equal(2, file.Read(buffer, 0));
        Assert.Null(Disk.Stat(At("a")));
    }

    [Fact]
    public void Creating_an_existing_name_fails_and_leaves_it()
    {
        WriteFile("a", [1]);
        IOException e = Assert.Throws<IOException>(() => Disk.Create(At("a")).Dispose());
        Assert.Contains(At("a"), e.Message, StringComparison.Ordinal);
        Assert.Equal([1], ReadFile("a"));
    }

    [Fact]
    public void Creating_in_a_folder_that_is_not_there_fails() =>
        Assert.Throws<FileNotFoundException>(() => Disk.Create(At("none/a")).Dispose());

    [Fact]
    public void Private_file_is_readable_by_its_owner_alone()
    {
        Disk.Create(At("a"), isPrivate: true).Dispose();
        Assert.Equal(0x180, Disk.Stat(At("a"))?.Mode);
    }

    [Fact]
    public void Opening_a_missing_file_fails() => Assert.Throws<FileNotFoundException>(() => Disk.Open(At("a")).Dispose());

    [Fact]
    public void Opening_a_link_or_a_folder_fails()
    {
        WriteFile("a", [1]);
        MakeLink(At("link"), At("a"));
        Assert.Throws<CheckpointException>(() => Disk.Open(At("link")).Dispose());
        Assert.Throws<CheckpointException>(() => Disk.Open(Folder).Dispose());
    }

    [Fact]
    public void Stat_tells_files_folders_links_and_nothing_apart()
    {
        WriteFile("a", [1, 2, 3]);
        Disk.CreateFolder(At("f"));
        MakeLink(At("link"), At("a"));
        Assert.Equal(
            [FileEntryKind.File, FileEntryKind.Folder, FileEntryKind.Link, null, null],
            new[] { "a", "f", "link", "none", "a/below" }.Select(name => Disk.Stat(At(name))?.Kind)
        );
        Assert.Equal(3, Disk.Stat(At("a"))?.Length);
    }

    [Fact]
    public void Stat_counts_hard_links_and_gives_both_names_one_inode()
    {
        WriteFile("a", [1]);
        MakeHardLink(At("b"), At("a"));
        Assert.Equal((2L, 2L), (Disk.Stat(At("a"))?.Links, Disk.Stat(At("b"))?.Links));
        Assert.Equal(Disk.Stat(At("a"))?.Inode, Disk.Stat(At("b"))?.Inode);
    }

    [Fact]
    public void Link_is_resolved_to_the_file_at_its_end()
    {
        WriteFile("a", [1]);
        MakeLink(At("one"), At("a"));
        MakeLink(At("two"), "one");
        Assert.Equal(At("a"), Disk.ResolveLink(At("two")));
    }

    [Fact]
    public void Link_that_leads_nowhere_cannot_be_resolved()
    {
        MakeLink(At("dangling"), "none");
        MakeLink(At("circle"), "circle");
        Assert.Throws<FileNotFoundException>(() => Disk.ResolveLink(At("dangling")));
        Assert.Throws<FileNotFoundException>(() => Disk.ResolveLink(At("circle")));
    }

    [Fact]
    public void List_gives_names_in_ordinal_order_and_nothing_for_a_missing_folder()
    {
        foreach (string name in new[] { "b", "a", "B", ".hidden" })
        {
            WriteFile(name, []);
        }

        Assert.Equal([".hidden", "B", "a", "b"], Disk.List(Folder));
        Assert.Empty(Disk.List(At("none")));
    }

    [Fact]
    public void Rename_replaces_its_target_and_an_open_handle_keeps_the_old_file()
    {
        WriteFile("new", [1]);
        WriteFile("old", [2]);
        using IDiskFile old = Disk.Open(At("old"));
        Disk.Rename(At("new"), At("old"));
        Assert.Equal([1], ReadFile("old"));
        Assert.Equal(["old"], Disk.List(Folder));
        byte[] buffer = new byte[1];
        old.Read(buffer, 0);
        Assert.Equal([2], buffer);
    }

    [Fact]
    public void RenameNew_refuses_an_existing_target_and_moves_to_a_free_one()
    {
        WriteFile("a", [1]);
        WriteFile("b", [2]);
        Assert.Throws<IOException>(() => Disk.RenameNew(At("a"), At("b")));
        Assert.Equal([2], ReadFile("b"));
        Disk.RenameNew(At("a"), At("c"));
        Assert.Equal(["b", "c"], Disk.List(Folder));
    }

    [Fact]
    public void Folder_is_moved_with_everything_in_it()
    {
        Disk.CreateFolder(At("f"));
        WriteFile("f/a", [1]);
        Disk.RenameNew(At("f"), At("g"));
        Assert.Equal([1], ReadFile("g/a"));
        Assert.Null(Disk.Stat(At("f")));
    }

    [Fact]
    public void Renaming_or_deleting_what_is_not_there_fails()
    {
        Assert.Throws<FileNotFoundException>(() => Disk.Rename(At("a"), At("b")));
        Assert.Throws<FileNotFoundException>(() => Disk.RenameNew(At("a"), At("b")));
        Assert.Throws<FileNotFoundException>(() => Disk.Delete(At("a")));
        Assert.Throws<FileNotFoundException>(() => Disk.DeleteFolder(At("a")));
    }

    [Fact]
    public void Creating_a_folder_twice_is_no_failure()
    {
        Disk.CreateFolder(At("f"));
        Disk.CreateFolder(At("f"));
        Disk.FlushFolder(At("f"));
        Assert.Throws<FileNotFoundException>(() => Disk.FlushFolder(At("none")));
    }

    [Fact]
    public void Only_an_empty_folder_is_removed()
    {
        Disk.CreateFolder(At("f"));
        WriteFile("f/a", [1]);
        Assert.Throws<CheckpointException>(() => Disk.DeleteFolder(At("f")));
        Disk.Delete(At("f/a"));
        Disk.DeleteFolder(At("f"));
        Assert.Empty(Disk.List(Folder));
    }

    [Fact]
    public void Mapping_sees_what_is_written_later()
    {
        WriteFile("a", new byte[5000]);
        using IDiskFile file = Disk.Open(At("a"), writable: true);
        using IMapping mapping = file.Map();
        Assert.Equal(5000, mapping.Length);
        file.Write([42], 4999);
        Assert.Equal(42, mapping.Span(4990, 10)[9]);
        Assert.Throws<ArgumentOutOfRangeException>(() => mapping.Span(4990, 11).Length);
    }

    [Fact]
    public void Empty_file_maps_to_nothing()
    {
        WriteFile("a", []);
        using IDiskFile file = Disk.Open(At("a"));
        using IMapping mapping = file.Map();
        Assert.Equal((0, 0), (mapping.Length, mapping.Span(0, 0).Length));
    }

    [Fact]
    public void Exclusive_lock_keeps_everybody_out_until_it_is_released()
    {
        using (IDisposable? held = Disk.TryLock(At("lock"), shared: false))
        {
            Assert.NotNull(held);
            Assert.Null(Disk.TryLock(At("lock"), shared: false));
            Assert.Null(Disk.TryLock(At("lock"), shared: true));
        }

        using IDisposable? again = Disk.TryLock(At("lock"), shared: false);
        Assert.NotNull(again);
    }

    [Fact]
    public void Shared_locks_go_together_and_keep_an_exclusive_one_out()
    {
        using IDisposable? one = Disk.TryLock(At("lock"), shared: true);
        using IDisposable? two = Disk.TryLock(At("lock"), shared: true);
        Assert.NotNull(one);
        Assert.NotNull(two);
        Assert.Null(Disk.TryLock(At("lock"), shared: false));
    }

    [Fact]
    public void Available_space_is_told() => Assert.InRange(Disk.AvailableBytes(Folder), 1, long.MaxValue);

    private void WriteFile(string name, byte[] content)
    {
        using IDiskFile file = Disk.Create(At(name));
        file.Write(content, 0);
    }

    private byte[] ReadFile(string name)
    {
        using IDiskFile file = Disk.Open(At(name));
        byte[] content = new byte[file.Length];
        file.Read(content, 0);
        return content;
    }
}
