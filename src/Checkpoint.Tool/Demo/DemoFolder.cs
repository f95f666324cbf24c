using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Tool.Demo;

/// <summary>
/// The folder that a demo producer publishes in: its handles, its state page and the live memory itself. Held by a lock that dies with
/// the producer; emptied when the producer ends.
/// </summary>
internal sealed class DemoFolder : IDisposable
{
    private const string SharedMemory = "/dev/shm";
    private const string LockName = "producer.lock";

    /// <summary>Left free beside the model in shared memory, bytes.</summary>
    private const long Reserve = 64 << 20;

    private static readonly string[] Names =
    [
        HandlesPublisher.IndexName,
        HandlesPublisher.RankName,
        HandlesPublisher.StateName,
        MemoryName,
        LockName,
    ];
    private readonly IDisposable hold;
    private readonly bool isOurs;

    private DemoFolder(string path, IDisposable hold, bool isOurs)
    {
        Path = path;
        this.hold = hold;
        this.isOurs = isOurs;
    }

    /// <summary>Name of the live memory.</summary>
    public const string MemoryName = "rank0.weights";

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Takes a folder; what a producer that died left in it is removed.</summary>
    /// <param name="path">The folder, or null: one in shared memory, or in the temporary directory where that is small.</param>
    /// <param name="modelBytes">How much it will hold.</param>
    /// <exception cref="CheckpointException">Locked: another producer lives there.</exception>
    public static DemoFolder Take(string? path, long modelBytes)
    {
        string folder = System.IO.Path.GetFullPath(path ?? DefaultPath(modelBytes));
        bool isOurs = !Directory.Exists(folder);
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        IDisposable hold =
            Disk.Instance.TryLock(System.IO.Path.Combine(folder, LockName), shared: false)
            ?? throw new CheckpointException(
                CheckpointError.Locked,
                $"another demo producer publishes in {folder}",
                "stop it, or choose another folder: --handles DIR"
            );
        DemoFolder taken = new(folder, hold, isOurs);
        taken.Empty(exceptLock: true);
        return taken;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Empty(exceptLock: false);
        if (isOurs && !Directory.EnumerateFileSystemEntries(Path).Any())
        {
            Directory.Delete(Path);
        }

        hold.Dispose();
    }

    /// <summary>A fresh place with room for the model: shared memory, as a real producer's would be, or a temporary file.</summary>
    internal static string DefaultPath(long modelBytes)
    {
        bool hasRoom = Directory.Exists(SharedMemory) && new DriveInfo(SharedMemory).AvailableFreeSpace > modelBytes + Reserve;
        return System.IO.Path.Combine(hasRoom ? SharedMemory : System.IO.Path.GetTempPath(), $"apollo-demo-{Environment.ProcessId}");
    }

    private void Empty(bool exceptLock)
    {
        foreach (string name in Names.Where(name => !(exceptLock && name == LockName)))
        {
            File.Delete(System.IO.Path.Combine(Path, name));
        }
    }
}
