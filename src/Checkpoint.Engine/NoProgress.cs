namespace ApolloCheckpoint.Engine;

/// <summary>Shows nothing.</summary>
public sealed class NoProgress : IProgressSink
{
    /// <summary>The only one.</summary>
    public static NoProgress Instance { get; } = new();

    /// <inheritdoc/>
    public void Begin(string stage, long totalBytes) { }

    /// <inheritdoc/>
    public void Advance(long bytes) { }

    /// <inheritdoc/>
    public void End() { }
}
