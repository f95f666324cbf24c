using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.Engine.Weights.Archive;

/// <summary>
/// Tensors stored inside a torch archive, read in place. The first read of a record checks its CRC, where the archive has one (torch
/// itself does not). Elements of a big-endian archive are turned.
/// </summary>
internal sealed class TorchArchiveSource : IWeightSource
{
    private readonly HandlesFile handles;
    private readonly IDiskFile file;
    private readonly LiveCatalog catalog;
    private readonly ConcurrentDictionary<HandleAllocation, Lazy<uint?>> checkedRecords = new(ReferenceEqualityComparer.Instance);

    /// <summary>Takes over the open file that the handles were read from.</summary>
    internal TorchArchiveSource(HandlesFile handles, IDiskFile file)
    {
        this.handles = handles;
        this.file = file;
        catalog = new LiveCatalog(handles);
    }

    /// <inheritdoc/>
    public string Kind => "torch archive";

    /// <inheritdoc/>
    public IReadOnlyList<LiveTensor> Tensors => catalog.Tensors;

    /// <inheritdoc/>
    public ProducerInfo Producer => handles.Producer;

    /// <inheritdoc/>
    public string? StatePagePath => null;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> DeclaredNotLive => handles.UnmappedDisk;

    /// <inheritdoc/>
    public void Read(LiveTensor tensor, long byteOffset, Span<byte> destination)
    {
        HandleTensor place = catalog.Find(tensor, byteOffset, destination.Length);
        if (place.Allocation is not { } allocation || destination.IsEmpty)
        {
            return;
        }

        CheckCrc(allocation);
        int unit = tensor.Type.UnitBytes();
        if (!handles.IsBigEndian || unit == 1)
        {
            Gather(place, allocation, byteOffset, destination);
            return;
        }

        // Whole elements can be turned; a range may begin and end inside one.
        int before = (int)(byteOffset % unit);
        int whole = (before + destination.Length + unit - 1) / unit * unit;
        byte[] elements = new byte[whole];
        Gather(place, allocation, byteOffset - before, elements);
        Turn(elements, unit);
        elements.AsSpan(before, destination.Length).CopyTo(destination);
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private void Gather(HandleTensor place, HandleAllocation allocation, long byteOffset, Span<byte> destination)
    {
        long start = allocation.FileOffset + place.AllocationOffset;
        place.Layout.Gather(byteOffset, destination, (memoryOffset, window) => ReadFile(window, start + memoryOffset));
    }

    private void ReadFile(Span<byte> window, long fileOffset)
    {
        if (file.Read(window, fileOffset) != window.Length)
        {
            throw new CheckpointException(
                CheckpointError.SourceUnavailable,
                $"{file.Path} was cut short while it was read",
                "let the archive hold still while it is read"
            );
        }
    }

    private void CheckCrc(HandleAllocation allocation)
    {
        uint? found = checkedRecords.GetOrAdd(allocation, record => new Lazy<uint?>(() => ComputeCrc(record))).Value;
        if (found != allocation.Crc)
        {
            throw HandlesFile.Malformed(
                file.Path,
                $"is damaged: record {allocation.Record} does not have the CRC that the zip directory says"
            );
        }
    }

    private uint? ComputeCrc(HandleAllocation allocation)
    {
        if (allocation.Crc is null)
        {
            return null;
        }

        Crc32 crc = new();
        byte[] window = new byte[(int)Math.Min(allocation.Size, 1 << 20)];
        for (long done = 0; done < allocation.Size; done += window.Length)
        {
            Span<byte> part = window.AsSpan(0, (int)Math.Min(window.Length, allocation.Size - done));
            ReadFile(part, allocation.FileOffset + done);
            crc.Append(part);
        }

        return crc.GetCurrentHashAsUInt32();
    }

    private static void Turn(byte[] elements, int unit)
    {
        Span<byte> bytes = elements;
        switch (unit)
        {
            case 2:
                Span<ushort> halves = MemoryMarshal.Cast<byte, ushort>(bytes);
                BinaryPrimitives.ReverseEndianness(halves, halves);
                break;
            case 4:
                Span<uint> words = MemoryMarshal.Cast<byte, uint>(bytes);
                BinaryPrimitives.ReverseEndianness(words, words);
                break;
            default:
                Span<ulong> longs = MemoryMarshal.Cast<byte, ulong>(bytes);
                BinaryPrimitives.ReverseEndianness(longs, longs);
                break;
        }
    }
}
