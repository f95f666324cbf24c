namespace ApolloCheckpoint.Engine.Weights.Handles;

/// <summary>Reads memory of a tensor.</summary>
/// <param name="memoryOffset">Bytes from the tensor's first element, in memory order.</param>
/// <param name="destination">Filled whole.</param>
internal delegate void MemoryReader(long memoryOffset, Span<byte> destination);
