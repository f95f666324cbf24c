using System.Text;

namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>
/// Drains a child's error stream, so that it never blocks on a full pipe, and keeps the end of it for the error message. Bounded, whatever
/// the child writes.
/// </summary>
internal sealed class OutputTail
{
    private const int KeptBytes = 4096;
    private const int KeptLines = 8;

    private readonly Lock gate = new();
    private readonly Thread thread;
    private byte[] kept = [];

    internal OutputTail(Stream stream)
    {
        thread = new Thread(() => Drain(stream)) { IsBackground = true, Name = "python host errors" };
        thread.Start();
    }

    /// <summary>The last lines, as details of an error.</summary>
    /// <param name="patience">How long to wait for the end of the stream.</param>
    internal IReadOnlyList<(string Label, string Text)> LastLines(TimeSpan patience)
    {
        _ = thread.Join(patience);
        string text;
        lock (gate)
        {
            text = Encoding.UTF8.GetString(kept);
        }

        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return [.. lines.TakeLast(KeptLines).Select(line => ("python", line))];
    }

    private void Drain(Stream stream)
    {
        byte[] buffer = new byte[KeptBytes];
        try
        {
            while (stream.Read(buffer) is > 0 and int count)
            {
                lock (gate)
                {
                    kept = [.. kept.Concat(buffer.Take(count)).TakeLast(KeptBytes)];
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The child is gone, and what it said is kept.
        }
    }
}
