using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>How far a running run is, written by its threads and read by whoever asks.</summary>
internal sealed class RunProgress : IProgressSink
{
    private readonly Lock gate = new();
    private string stage = "";
    private long total;
    private long done;

    /// <summary>The stage, bytes done and bytes in all; null between stages.</summary>
    public RunStage? Now
    {
        get
        {
            lock (gate)
            {
                return stage.Length == 0 ? null : new RunStage(stage, Math.Min(Interlocked.Read(ref done), total), total);
            }
        }
    }

    /// <inheritdoc/>
    public void Begin(string stage, long totalBytes)
    {
        lock (gate)
        {
            this.stage = stage;
            total = totalBytes;
            Interlocked.Exchange(ref done, 0);
        }
    }

    /// <inheritdoc/>
    public void Advance(long bytes) => Interlocked.Add(ref done, bytes);

    /// <inheritdoc/>
    public void End()
    {
        lock (gate)
        {
            stage = "";
        }
    }
}
