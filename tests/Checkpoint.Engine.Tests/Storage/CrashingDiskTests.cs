using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Storage;

/// <summary>It keeps the contract of a disk, and shows what a crash may show and nothing else.</summary>
public class CrashingDiskTests : DiskContract
{
    private readonly CrashingDisk disk = new();

    public CrashingDiskTests()
    {
        disk.CreateFolder(Folder);
        disk.FlushFolder("/");
    }

    private protected override IDisk Disk => disk;

    private protected override string Folder => "/model";

    private protected override void MakeLink(string path, string target) => disk.MakeLink(path, target);

    private protected override void MakeHardLink(string path, string existing) => disk.MakeHardLink(path, existing);

    [Fact]
    public void Unflushed_new_file_is_there_or_not_with_any_of_its_sectors()
    {
        using IDiskFile file = disk.Create("/model/a");
        file.Write(Filled(1024, 7), 0);
        Assert.Equal(
            // A name without bytes; no name; none of the sectors, one, both.
            ["", "-", "00", "07", "70", "77"],
            Distinct(Sectors)
        );
    }

    [Fact]
    public void Flushed_bytes_are_kept_but_not_the_name_before_its_folder_is_flushed()
    {
        using IDiskFile file = disk.Create("/model/a");
        file.Write(Filled(512, 7), 0);
        file.Flush();
        Assert.Equal(["-", "7"], Distinct(Sectors));
        disk.FlushFolder("/model");
        Assert.Equal(["7"], Distinct(Sectors));
    }

    [Fact]
    public void Overwritten_sector_shows_any_value_since_the_flush_whole()
    {
        using IDiskFile file = Durable("a", Filled(1024, 1));
        file.Write(Filled(512, 2), 0);
        file.Write(Filled(512, 3), 0);
        Assert.Equal(["11", "21", "31"], Distinct(Sectors));
    }

    [Fact]
    public void Rename_over_a_file_shows_the_old_or_the_new_one_never_none()
    {
        Durable("a", Filled(512, 1)).Dispose();
        using (IDiskFile file = disk.Create("/model/b"))
        {
            file.Write(Filled(512, 2), 0);
            file.Flush();
        }

        disk.Rename("/model/b", "/model/a");
        Assert.Equal(["1", "2"], Distinct(Sectors));
    }

    [Fact]
    public void Rename_of_an_unflushed_file_may_show_its_name_without_its_bytes()
    {
        Durable("a", Filled(512, 1)).Dispose();
        using (IDiskFile file = disk.Create("/model/b"))
        {
            file.Write(Filled(512, 2), 0);
        }

        disk.Rename("/model/b", "/model/a");
        Assert.Equal(["", "0", "1", "2"], Distinct(Sectors));
    }

    [Fact]
    public void Later_change_may_be_kept_where_an_earlier_one_of_another_name_is_lost()
    {
        disk.Create("/model/a").Dispose();
        disk.Create("/model/b").Dispose();
        Assert.Equal(["", "a", "a,b", "b"], Distinct(image => string.Join(',', image.List("/model"))));
    }

    [Fact]
    public void Deleted_name_comes_back_until_its_folder_is_flushed()
    {
        Durable("a", Filled(512, 1)).Dispose();
        disk.Delete("/model/a");
        Assert.Equal(["-", "1"], Distinct(Sectors));
        disk.FlushFolder("/model");
        Assert.Equal(["-"], Distinct(Sectors));
    }

    [Fact]
    public void File_in_a_folder_whose_name_is_lost_is_lost_with_it()
    {
        disk.CreateFolder("/model/f");
        disk.Create("/model/f/a").Dispose();
        disk.FlushFolder("/model/f");
        Assert.Equal(["-", "a"], Distinct(image => image.Stat("/model/f") is null ? "-" : string.Join(',', image.List("/model/f"))));
    }

    [Fact]
    public void After_a_failed_flush_a_later_one_does_not_save_the_lost_sectors()
    {
        using IDiskFile file = Durable("a", Filled(512, 1));
        file.Write(Filled(512, 2), 0);
        disk.Fault = new DiskFault(disk.Begun + 1, DiskFaultKind.IoError);
        Assert.Equal(CheckpointError.DiskWriteFailed, Assert.Throws<CheckpointException>(file.Flush).Error);
        file.Flush();
        Assert.Equal("2", Sectors(disk));
        Assert.Equal(["1", "2"], Distinct(Sectors));
        file.Write(Filled(512, 3), 0);
        file.Flush();
        Assert.Equal(["3"], Distinct(Sectors));
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 3)]
    public void Told_operation_fails_once_or_from_then_on(bool persistent, int failures)
    {
        using IDiskFile file = Durable("a", Filled(512, 1));
        disk.Fault = new DiskFault(disk.Begun + 1, DiskFaultKind.IoError, persistent);
        int failed = 0;
        for (int i = 0; i < 3; i++)
        {
            failed += Record.Exception(() => file.Write(Filled(512, 2), 0)) is null ? 0 : 1;
        }

        Assert.Equal(failures, failed);
    }

    [Fact]
    public void Short_write_leaves_its_first_half()
    {
        using IDiskFile file = Durable("a", Filled(1024, 1));
        disk.Fault = new DiskFault(disk.Begun + 1, DiskFaultKind.ShortWrite);
        Assert.Throws<CheckpointException>(() => file.Write(Filled(1024, 2), 0));
        Assert.Equal("21", Sectors(disk));
    }

    [Fact]
    public void Full_disk_refuses_bytes_but_not_what_frees_them()
    {
        using IDiskFile file = Durable("a", Filled(1024, 1));
        disk.Capacity = 1024;
        Assert.Equal(CheckpointError.DiskFull, Assert.Throws<CheckpointException>(() => file.Write(Filled(512, 2), 1024)).Error);
        Assert.Equal(CheckpointError.DiskFull, Assert.Throws<CheckpointException>(() => file.Allocate(2048)).Error);
        Assert.Equal(0, disk.AvailableBytes("/model"));
        disk.Delete("/model/a");
        Assert.Equal(1024, disk.AvailableBytes("/model"));
    }

    [Fact]
    public void Unreadable_range_fails_every_read_that_touches_it()
    {
        using IDiskFile file = Durable("a", Filled(1024, 1));
        disk.MakeUnreadable("/model/a", 512, 10);
        Assert.Equal(512, file.Read(new byte[512], 0));
        Assert.Equal(CheckpointError.DiskReadFailed, Assert.Throws<CheckpointException>(() => file.Read(new byte[513], 0)).Error);
    }

    [Fact]
    public void Image_goes_on_by_itself_and_holds_no_lock()
    {
        using IDiskFile file = Durable("a", Filled(512, 1));
        using IDisposable? held = disk.TryLock("/model/a", shared: false);
        CrashingDisk image = CrashImages.Of(disk, new Random(1), 1).Single().Disk;
        using IDisposable? taken = image.TryLock("/model/a", shared: false);
        Assert.NotNull(taken);
        using IDiskFile copy = image.Open("/model/a", writable: true);
        copy.Write(Filled(512, 9), 0);
        Assert.Equal(("1", "9"), (Sectors(disk), Sectors(image)));
    }

    [Fact]
    public void Sample_of_many_images_holds_the_extremes_and_mostly_different_ones()
    {
        using IDiskFile file = Durable("a", Filled(20 * 512, 1));
        file.Write(Filled(20 * 512, 2), 0);
        List<CrashImage> images = [.. CrashImages.Of(disk, new Random(7), 100)];
        Assert.Equal(100, images.Count);
        Assert.Equal((new string('1', 20), new string('2', 20)), (Sectors(images[0].Disk), Sectors(images[1].Disk)));
        Assert.InRange(images.Select(image => image.Hash).Distinct().Count(), 30, 100);
    }

    private static byte[] Filled(int length, byte value)
    {
        byte[] bytes = new byte[length];
        Array.Fill(bytes, value);
        return bytes;
    }

    private IDiskFile Durable(string name, byte[] content)
    {
        IDiskFile file = disk.Create($"/model/{name}");
        file.Write(content, 0);
        file.Flush();
        disk.FlushFolder("/model");
        return file;
    }

    /// <summary>The first byte of each sector of /model/a, or "-" when there is no such file.</summary>
    private static string Sectors(CrashingDisk image)
    {
        if (image.Stat("/model/a") is null)
        {
            return "-";
        }

        using IDiskFile file = image.Open("/model/a");
        byte[] content = new byte[file.Length];
        file.Read(content, 0);
        return string.Concat(content.Where((_, i) => i % 512 == 0));
    }

    private string[] Distinct(Func<CrashingDisk, string> view) =>
        [.. CrashImages.Of(disk, new Random(1), 1000).Select(image => view(image.Disk)).Distinct().Order(StringComparer.Ordinal)];
}
