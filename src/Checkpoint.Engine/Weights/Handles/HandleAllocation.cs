using System.Security.Cryptography;

namespace ApolloCheckpoint.Engine.Weights.Handles;

/// <summary>One piece of the producer's memory, as a handles file names it. Nothing is opened.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Size">Bytes of it; of a v1 CUDA segment, as many as its tensors reach, because the file does not say.</param>
internal sealed record HandleAllocation(AllocationKind Kind, long Size)
{
    /// <summary>
    /// CUDA: the raw handle without torch's prefix (64 bytes; of an expandable segment its payload). A capability to all bytes of the
    /// segment: never printed, never logged.
    /// </summary>
    internal byte[] Handle { get; init; } = [];

    /// <summary>CUDA: the producer's logical device index, or null.</summary>
    internal int? Device { get; init; }

    /// <summary>CUDA: the device's UUID as published, or null.</summary>
    internal string? DeviceUuid { get; init; }

    /// <summary>File and record: the file.</summary>
    internal string Path { get; init; } = "";

    /// <summary>File and record: bytes from the start of the file to the first byte of the allocation.</summary>
    internal long FileOffset { get; init; }

    /// <summary>Record: the storage's key in the archive, or null.</summary>
    internal string? Record { get; init; }

    /// <summary>Record: CRC-32 of its bytes, or null when the archive has none.</summary>
    internal uint? Crc { get; init; }

    /// <summary>A name for the handle that gives nothing away: the first 16 hex digits of its SHA-256; null when there is no handle.</summary>
    internal string? Fingerprint => Handle.Length == 0 ? null : Convert.ToHexStringLower(SHA256.HashData(Handle).AsSpan(0, 8));

    /// <summary>For reports; the handle is left out.</summary>
    public override string ToString() => $"{Kind} {Path}{Fingerprint} {Size} bytes";
}
