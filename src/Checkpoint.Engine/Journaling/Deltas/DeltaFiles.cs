using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.Deltas;

/// <summary>
/// The files of opened deltas: a chain of any length takes a bounded number of file handles. The most recently read stay open, which
/// also keeps their bytes when a prune takes their names; the others are opened again when they are read. Thread-safe.
/// </summary>
/// <param name="disk">The disk.</param>
/// <param name="most">Handles that may be open while nobody reads.</param>
internal sealed class DeltaFiles(IDisk disk, int most = DeltaFiles.MostOpen)
{
    /// <summary>Far below the 1024 that a process may have by default.</summary>
    internal const int MostOpen = 128;

    private readonly Lock gate = new();

    /// <summary>Open and read by nobody, the least recently used first.</summary>
    private readonly LinkedList<Shelved> idle = [];

    /// <summary>Opens a delta's file for reading.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    internal IDiskFile Open(string path)
    {
        Shelved shelved = new(this, path, disk.Open(path)) { Readers = 1 };
        GiveBack(shelved);
        return shelved;
    }

    private IDiskFile Take(Shelved shelved)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(shelved.IsDisposed, shelved);
            IDiskFile taken = shelved.File ??= OpenAgain(shelved.Path);
            if (shelved.Place is { } place)
            {
                idle.Remove(place);
                shelved.Place = null;
            }

            shelved.Readers++;
            return taken;
        }
    }

    private void GiveBack(Shelved shelved)
    {
        lock (gate)
        {
            if (--shelved.Readers > 0)
            {
                return;
            }

            shelved.Place = idle.AddLast(shelved);
            if (shelved.IsDisposed)
            {
                Close(shelved);
            }
            else if (idle.Count > most)
            {
                Close(idle.First!.Value);
            }
        }
    }

    private void Drop(Shelved shelved)
    {
        lock (gate)
        {
            shelved.IsDisposed = true;
            if (shelved.Place is not null)
            {
                Close(shelved);
            }
        }
    }

    private void Close(Shelved shelved)
    {
        idle.Remove(shelved.Place!);
        shelved.Place = null;
        shelved.File?.Dispose();
        shelved.File = null;
    }

    private IDiskFile OpenAgain(string path)
    {
        try
        {
            return disk.Open(path);
        }
        catch (FileNotFoundException e)
        {
            throw new CheckpointException(
                CheckpointError.VersionUnknown,
                $"{path} was removed while it was needed",
                "a prune at the same time does that: run the command again",
                e
            );
        }
    }

    /// <summary>A file that may be closed while nobody reads it.</summary>
    private sealed class Shelved(DeltaFiles files, string path, IDiskFile file) : IDiskFile
    {
        internal IDiskFile? File { get; set; } = file;

        internal int Readers { get; set; }

        internal LinkedListNode<Shelved>? Place { get; set; }

        internal bool IsDisposed { get; set; }

        public string Path => path;

        public long Length
        {
            get
            {
                IDiskFile taken = files.Take(this);
                try
                {
                    return taken.Length;
                }
                finally
                {
                    files.GiveBack(this);
                }
            }
        }

        public int Read(Span<byte> buffer, long fileOffset)
        {
            IDiskFile taken = files.Take(this);
            try
            {
                return taken.Read(buffer, fileOffset);
            }
            finally
            {
                files.GiveBack(this);
            }
        }

        public void Write(ReadOnlySpan<byte> data, long fileOffset) => throw Written();

        public void Flush() => throw Written();

        public void Allocate(long length) => throw Written();

        public void SetLength(long length) => throw Written();

        public IMapping Map() => throw new NotSupportedException("a delta is read by position");

        public void Dispose() => files.Drop(this);

        private static NotSupportedException Written() => new("a delta is written once, by DeltaWriter");
    }
}
