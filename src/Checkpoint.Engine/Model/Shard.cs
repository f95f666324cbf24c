namespace ApolloCheckpoint.Engine.Model;

/// <summary>One safetensors file of the model directory, its header read and validated.</summary>
/// <param name="FileName">The name inside the model directory; never contains a separator.</param>
/// <param name="FilePath">The whole path.</param>
/// <param name="Length">Bytes of the file when it was opened.</param>
/// <param name="Header">Its header.</param>
/// <param name="LinkProblem">Why it may not be written ("is a symbolic link", "has 2 hard links"), or null.</param>
public sealed record Shard(string FileName, string FilePath, long Length, SafetensorsHeader Header, string? LinkProblem = null);
