namespace ApolloCheckpoint.Engine.Weights.Handles.Torch;

/// <summary>One stored entry of a zip archive.</summary>
/// <param name="Name">Its name, "root/data/0".</param>
/// <param name="DataOffset">Bytes from the start of the file to its data.</param>
/// <param name="Length">Bytes of its data.</param>
/// <param name="Crc">CRC-32 of its data, as the central directory says.</param>
internal sealed record ZipEntry(string Name, long DataOffset, long Length, uint Crc);
