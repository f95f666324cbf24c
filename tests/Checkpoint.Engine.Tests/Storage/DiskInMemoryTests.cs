using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Storage;

/// <summary>The real disk on a file system in memory, where most tests keep their models.</summary>
public sealed class DiskInMemoryTests : DiskContract, IDisposable
{
    private readonly TempDirectory temp = TempDirectory.InMemory();

    private protected override IDisk Disk => Engine.Storage.Disk.Instance;

    private protected override string Folder => temp.Path;

    public void Dispose() => temp.Dispose();

    private protected override void MakeLink(string path, string target) => File.CreateSymbolicLink(path, target);

    private protected override void MakeHardLink(string path, string existing) => Assert.Equal(0, Libc.Link(existing, path));

    [SkippableFact]
    public void What_is_in_memory_is_known_and_what_is_not()
    {
        Skip.IfNot(temp.Path.StartsWith("/dev/shm", StringComparison.Ordinal), "there is no /dev/shm");
        Assert.True(Disk.IsInMemory(temp.Path));
        Assert.False(Disk.IsInMemory("/proc"));
    }
}
