namespace ApolloCheckpoint.Engine.Weights.Handles.Torch;

/// <summary>The bytes of one storage inside a torch archive.</summary>
/// <param name="FileOffset">Bytes from the start of the file.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Crc">CRC-32, or null when the archive has none.</param>
internal sealed record ArchiveRecord(long FileOffset, long Length, uint? Crc);
