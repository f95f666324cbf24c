namespace ApolloCheckpoint.Tool.Serving;

/// <summary>Where a running run is.</summary>
/// <param name="Stage">"scan", "fold", "verify".</param>
/// <param name="DoneBytes">Bytes done.</param>
/// <param name="TotalBytes">Bytes in all.</param>
internal sealed record RunStage(string Stage, long DoneBytes, long TotalBytes);
