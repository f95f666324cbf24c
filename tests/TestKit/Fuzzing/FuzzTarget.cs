using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.TestKit.Fuzzing;

/// <summary>
/// One parser of files that somebody else may have written, with files to begin from and a way to spoil them that keeps checksums and
/// lengths true, so that the damage gets past the first check. For one thread at a time.
/// </summary>
public abstract class FuzzTarget : IDisposable
{
    private protected FuzzTarget(string name)
    {
        Name = name;
        Folder = TempDirectory.InMemory();
        File.SetUnixFileMode(Folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>What it reads: "delta", "torch-zip".</summary>
    public string Name { get; }

    /// <summary>Well-formed files, and malformed ones that are known. Never empty.</summary>
    public abstract IReadOnlyList<byte[]> Corpus { get; }

    /// <summary>The ways in which the parser may refuse.</summary>
    public abstract IReadOnlyCollection<CheckpointError> Refusals { get; }

    private protected TempDirectory Folder { get; }

    /// <summary>Puts the file where the parser looks; not part of what is measured.</summary>
    public abstract void Place(byte[] file);

    /// <summary>Reads the file as the program would, and all that it names.</summary>
    /// <exception cref="CheckpointException">Refused, with one of <see cref="Refusals"/>.</exception>
    /// <exception cref="FuzzException">It was taken, and something about it does not hold.</exception>
    public abstract void Read();

    /// <summary>A spoilt copy of a file. The same arguments give the same bytes.</summary>
    public abstract byte[] Spoil(byte[] file, Random random);

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>What must be true of a file that was taken.</summary>
    private protected static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new FuzzException(what);
        }
    }

    /// <summary>A file that only this user can write, as the rules for handles want it.</summary>
    private protected static void WritePrivate(string path, byte[] bytes)
    {
        File.WriteAllBytes(path, bytes);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
