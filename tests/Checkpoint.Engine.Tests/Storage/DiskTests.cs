using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Storage;

public sealed class DiskTests : DiskContract, IDisposable
{
    private readonly TempDirectory temp = new();

    private protected override IDisk Disk => Engine.Storage.Disk.Instance;

    private protected override string Folder => temp.Path;

    public void Dispose() => temp.Dispose();

    private protected override void MakeLink(string path, string target) => File.CreateSymbolicLink(path, target);

    private protected override void MakeHardLink(string path, string existing) => Assert.Equal(0, Libc.Link(existing, path));

    [Fact]
    public void Device_in_the_place_of_a_file_is_refused() => Assert.Throws<CheckpointException>(() => Disk.Open("/dev/null").Dispose());

    [Fact]
    public void Free_space_agrees_with_what_the_system_says() =>
        // Others write meanwhile, so only the order of magnitude can be compared.
        Assert.InRange(Disk.AvailableBytes("/"), new DriveInfo("/").AvailableFreeSpace / 2, new DriveInfo("/").AvailableFreeSpace * 2);
}
