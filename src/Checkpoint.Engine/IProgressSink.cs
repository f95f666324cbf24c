namespace ApolloCheckpoint.Engine;

/// <summary>Told how far a long operation is. Called from several threads, often; must be cheap.</summary>
public interface IProgressSink
{
    /// <summary>A stage begins.</summary>
    /// <param name="stage">"scan", "fold", "verify", "restore".</param>
    /// <param name="totalBytes">Bytes it will go through.</param>
    void Begin(string stage, long totalBytes);

    /// <summary>So many bytes more are done.</summary>
    void Advance(long bytes);

    /// <summary>The stage is over.</summary>
    void End();
}
