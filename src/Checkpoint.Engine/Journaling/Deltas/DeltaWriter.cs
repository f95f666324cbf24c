using System.IO.Hashing;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.Deltas;

/// <summary>
/// Writes one delta under a temporary name and makes it a version. Any number of threads append; a chunk may be coded again in a later
/// pass or taken back, and its last word counts. Until <see cref="Commit"/> the file is nothing: a crash leaves what recovery deletes.
/// <para>
/// Invariant 1: the version exists from the moment its name is durable. <see cref="Commit"/> flushes the data, then gives the name
/// (never over another file), then flushes the folder, in this order.
/// </para>
/// </summary>
internal sealed class DeltaWriter : IDisposable
{
    private const long FirstStep = 1 << 20;
    private const long LargestStep = 256 << 20;

    private readonly Lock gate = new();
    private readonly SortedDictionary<int, DeltaChunk> entries = [];
    private readonly XxHash3 payloadChecksum = new();
    private readonly IDisk disk;
    private readonly StatePaths paths;
    private readonly IDiskFile file;
    private long position;
    private long allocated;
    private bool isOpen = true;

    private DeltaWriter(IDisk disk, StatePaths paths, IDiskFile file, bool keepsPages)
    {
        Pages = keepsPages ? new FreshPages() : null;
        this.disk = disk;
        this.paths = paths;
        this.file = file;
    }

    /// <summary>The pages that it changes, while they are few, filled by who appends; null where no fold would use them.</summary>
    internal FreshPages? Pages { get; }

    /// <summary>Bytes written so far, superseded payloads included; after the commit, the length of the delta.</summary>
    internal long BytesWritten
    {
        get
        {
            lock (gate)
            {
                return position;
            }
        }
    }

    /// <summary>Number of chunks that differ from the parent.</summary>
    internal int Count
    {
        get
        {
            lock (gate)
            {
                return entries.Count;
            }
        }
    }

    /// <summary>Begins a delta. The caller holds the directory's lock, so a file of that name is a dead one's.</summary>
    internal static DeltaWriter Create(IDisk disk, StatePaths paths, bool keepsPages = false)
    {
        if (disk.Stat(paths.WritingDelta) is not null)
        {
            disk.Delete(paths.WritingDelta);
        }

        DeltaWriter writer = new(disk, paths, disk.Create(paths.WritingDelta), keepsPages);
        try
        {
            writer.AppendBytes(DeltaFormat.WritePrologue());
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <summary>Adds a chunk, or replaces what was said of it. Thread-safe.</summary>
    /// <param name="ordinal">The chunk.</param>
    /// <param name="liveType">Element type in the producer's memory.</param>
    /// <param name="encoded">What the codec made of it; copied before this returns.</param>
    /// <param name="before">Digest of the chunk's disk bytes in the parent.</param>
    /// <param name="after">Digest of the chunk's disk bytes in the new version.</param>
    internal void Append(int ordinal, ElementType liveType, EncodedChunk encoded, Digest128 before, Digest128 after)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ordinal);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(encoded.Payload.Length, DeltaFormat.MaxPayloadBytes);
        lock (gate)
        {
            long payloadOffset = position;
            AppendBytes(encoded.Payload);
            Pages?.Forget(ordinal);
            entries[ordinal] = new DeltaChunk(ordinal, encoded.Encoding, liveType, payloadOffset, encoded.Payload.Length, before, after);
        }
    }

    /// <summary>Takes a chunk back: a later pass found it as it was in the parent. Thread-safe.</summary>
    internal void Remove(int ordinal)
    {
        lock (gate)
        {
            entries.Remove(ordinal);
            Pages?.Forget(ordinal);
        }
    }

    /// <summary>The entries by ascending ordinal, as they stand now.</summary>
    internal IReadOnlyList<DeltaChunk> Entries()
    {
        lock (gate)
        {
            return [.. entries.Values];
        }
    }

    /// <summary>Makes it a version.</summary>
    /// <exception cref="CheckpointException">
    /// CommitUnknown: the name was given, but its folder could not be flushed; the version may or may not survive a crash, so nothing may
    /// build on it. Anything else: the version does not exist, and the temporary file is gone or will be deleted by recovery.
    /// </exception>
    internal void Commit(DeltaHeader header)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(!isOpen, this);
            WriteTail(header);
            file.SetLength(position);
            file.Flush();
            file.Dispose();
            GiveName(header.Version);
            // From here on the file bears a version's name: nothing may delete it any more, whatever fails.
            isOpen = false;
            try
            {
                disk.FlushFolder(paths.Journal);
            }
            catch (Exception e) when (e is CheckpointException or IOException)
            {
                throw new CheckpointException(
                    CheckpointError.CommitUnknown,
                    $"version {header.Version} was written, but {paths.Journal} could not be flushed: it may not survive a crash of the machine",
                    "look at the kernel log (dmesg) for the device, then run the command again: recovery finds out",
                    e
                );
            }
        }
    }

    /// <summary>Gives the delta up. Nothing happened.</summary>
    internal void Abandon()
    {
        lock (gate)
        {
            if (isOpen)
            {
                isOpen = false;
                file.Dispose();
                disk.Delete(paths.WritingDelta);
            }
        }
    }

    /// <summary>Abandons it unless it was committed.</summary>
    public void Dispose()
    {
        try
        {
            Abandon();
        }
        catch (Exception e) when (e is CheckpointException or IOException)
        {
            // Only reached while another failure is on its way out; recovery deletes the file.
        }

        file.Dispose();
    }

    private void GiveName(long version)
    {
        try
        {
            disk.RenameNew(paths.WritingDelta, paths.Delta(version));
        }
        catch (IOException e)
        {
            throw new CheckpointException(
                CheckpointError.JournalForeign,
                $"{paths.Delta(version)} appeared while version {version} was being made; it was not touched, and the version does not exist",
                "find out what else writes to the journal, then run the command again",
                e
            );
        }
    }

    private void WriteTail(DeltaHeader header)
    {
        DeltaTrailer trailer = new() { HeaderOffset = position, PayloadChecksum = payloadChecksum.GetCurrentHashAsUInt64() };
        byte[] head = DeltaFormat.WriteHeader(header);
        // What a reader would refuse must not become a version.
        _ = DeltaFormat.ReadHeader(head, file.Path);
        byte[] index = DeltaIndex.Write([.. entries.Values]);
        AppendBytes(head);
        AppendBytes(index);
        AppendBytes(
            DeltaFormat.WriteTrailer(
                trailer with
                {
                    HeaderBytes = head.Length,
                    HeaderChecksum = XxHash3.HashToUInt64(head),
                    IndexBytes = index.Length,
                    IndexChecksum = XxHash3.HashToUInt64(index),
                }
            )
        );
    }

    /// <summary>Appends, reserving space ahead in growing steps, so that a full disk shows before much work is lost.</summary>
    private void AppendBytes(ReadOnlySpan<byte> bytes)
    {
        ObjectDisposedException.ThrowIf(!isOpen, this);
        if (position + bytes.Length > allocated)
        {
            long step = Math.Clamp(allocated, FirstStep, LargestStep);
            allocated = Math.Max(position + bytes.Length, allocated + step);
            file.Allocate(allocated);
        }

        file.Write(bytes, position);
        payloadChecksum.Append(bytes);
        position += bytes.Length;
    }
}
