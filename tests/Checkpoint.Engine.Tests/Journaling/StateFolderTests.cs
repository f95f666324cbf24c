using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

public sealed class StateFolderTests
{
    [Theory]
    [InlineData(0x6969L)]
    [InlineData(0x65735546L)]
    [InlineData(0xFF534D42L)]
    public void Network_and_user_space_file_systems_are_known(long type) => Assert.NotNull(FileSystems.UnfitReason(type));

    [Theory]
    [InlineData(0xEF53L)]
    [InlineData(0x58465342L)]
    [InlineData(0x9123683EL)]
    [InlineData(0x01021994L)]
    public void Local_file_systems_are_fit(long type) => Assert.Null(FileSystems.UnfitReason(type));

    [Fact]
    public void This_machine_has_a_fit_temporary_folder() => Assert.Null(Disk.Instance.UnfitReason("/dev/shm"));

    [Fact]
    public void Only_a_plain_folder_may_bear_our_name()
    {
        CrashingDisk disk = new();
        disk.CreateFolder("/model");
        disk.CreateFolder("/elsewhere");
        disk.MakeLink("/model/.apollo", "/elsewhere");

        CheckpointException e = Assert.Throws<CheckpointException>(() =>
            StateFolder.Prepare(disk, new StatePaths("/model"), allowUnfit: false)
        );
        Assert.Equal(CheckpointError.FileSystemUnfit, e.Error);
    }

    [Fact]
    public void Our_folders_are_durable_before_anything_is_put_into_them()
    {
        CrashingDisk disk = new();
        disk.CreateFolder("/model");
        disk.FlushFolder("/");

        StateFolder.Prepare(disk, new StatePaths("/model"), allowUnfit: false);

        CrashingDisk afterCrash = CrashImages.Of(disk, new Random(1), 1).First().Disk;
        Assert.Equal(
            ["journal", "redo"],
            afterCrash.List("/model/.apollo").Where(name => !name.EndsWith("lock", StringComparison.Ordinal))
        );
    }

    [Theory]
    [InlineData("0000000042.delta", 42L)]
    [InlineData("12345678901.delta", 12345678901L)]
    [InlineData("42.delta", null)]
    [InlineData("00000000042.delta", null)]
    [InlineData("0000000000.delta", null)]
    [InlineData("-000000042.delta", null)]
    [InlineData(".writing.delta", null)]
    [InlineData("0000000042.delta.part", null)]
    public void Only_the_one_spelling_of_a_version_is_a_delta(string name, long? version) =>
        Assert.Equal(version, StatePaths.VersionOf(name));
}
