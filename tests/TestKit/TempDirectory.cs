namespace ApolloCheckpoint.TestKit;

/// <summary>A fresh folder of one test, removed with everything in it when the test is over.</summary>
public sealed class TempDirectory : IDisposable
{
    private TempDirectory(string parent) =>
        Path = Directory.CreateDirectory(System.IO.Path.Combine(parent, $"apollo-test-{Guid.NewGuid():N}")).FullName;

    /// <summary>A folder in the temporary directory.</summary>
    public TempDirectory()
        : this(System.IO.Path.GetTempPath()) { }

    /// <summary>The folder, absolute.</summary>
    public string Path { get; }

    /// <summary>A folder in memory (/dev/shm), or in the temporary directory where there is none.</summary>
    public static TempDirectory InMemory() => new(Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath());

    /// <summary>A path inside it; nothing is created.</summary>
    public string File(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>A folder inside it, created.</summary>
    public string Folder(params string[] parts) => Directory.CreateDirectory(File(parts)).FullName;

    /// <summary>Removes it. A file that a test made unreadable is still removed: unlinking needs only the folder.</summary>
    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
