using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Storage;

/// <summary>What the system refuses is an error, whichever call it was: nothing is taken for done because nobody looked.</summary>
public sealed class DiskRefusalTests : IDisposable
{
    private static readonly Disk System = Disk.Instance;
    private readonly TempDirectory temp = new();

    /// <summary>A name that no file system has room for.</summary>
    private string TooLong => temp.File(new string('x', 300));

    public void Dispose() => temp.Dispose();

    [Fact]
    public void A_path_that_cannot_be_looked_up_is_not_a_missing_file()
    {
        Refused(() => System.Stat(TooLong));
        Refused(() => ForeignFile.TryOpen(Path.Combine(TooLong, "file"))?.Dispose());
        Refused(() => System.CreateFolder(TooLong));
    }

    [Fact]
    public void What_does_not_exist_has_no_space_no_type_no_lock_and_no_access_to_copy()
    {
        string missing = temp.File("missing", "file");
        File.WriteAllText(temp.File("here"), "");
        Missing(() => System.AvailableBytes(missing));
        Missing(() => System.UnfitReason(missing));
        Missing(() => FileLock.TryTake(missing, shared: true)?.Dispose());
        Missing(() => System.CopyAccess(missing, temp.File("here")));
    }

    [Fact]
    public void A_file_that_is_no_link_leads_nowhere()
    {
        File.WriteAllText(temp.File("plain"), "");
        Assert.Throws<FileNotFoundException>(() => System.ResolveLink(temp.File("plain")));
    }

    [Fact]
    public void A_flush_that_fails_is_an_error()
    {
        // The kernel's own files cannot be flushed.
        Refused(() => System.FlushFolder("/proc"));
        using IDiskFile file = System.Open("/proc/self/comm", writable: true);
        Refused(file.Flush);
    }

    [Fact]
    public void Space_beyond_what_a_file_can_have_is_an_error()
    {
        using IDiskFile file = System.Create(temp.File("huge"));
        Refused(() => file.Allocate(long.MaxValue));
    }

    [Fact]
    public void A_file_longer_than_memory_has_addresses_is_not_mapped()
    {
        using TempDirectory memory = TempDirectory.InMemory();
        using IDiskFile file = System.Create(memory.File("sparse"));
        file.SetLength(1L << 60);
        Refused(() => file.Map().Dispose());
    }

    [Fact]
    public void A_file_that_is_closed_does_nothing_more()
    {
        IDiskFile file = System.Create(temp.File("closed"));
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Length);
        Assert.Throws<ObjectDisposedException>(file.Flush);
    }

    private static void Missing(Action action) => Assert.Throws<FileNotFoundException>(action);

    private static void Refused(Action action) => Assert.Throws<CheckpointException>(action);
}
