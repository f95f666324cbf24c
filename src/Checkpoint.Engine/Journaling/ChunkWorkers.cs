using System.Runtime.ExceptionServices;

namespace ApolloCheckpoint.Engine.Journaling;

/// <summary>Goes through chunk ordinals on several threads, each with its own buffers.</summary>
internal static class ChunkWorkers
{
    /// <summary>Bytes of buffers and codec that one worker takes, at most; what bounds their number (invariant 10).</summary>
    private const int BytesAWorker = 20 << 20;

    /// <summary>The number of workers for a request: as asked, or all cores, within the memory bound of 256 MiB.</summary>
    internal static int Count(int asked) => Math.Clamp(asked > 0 ? asked : Environment.ProcessorCount, 1, (200 << 20) / BytesAWorker);

    /// <summary>
    /// Calls <paramref name="work"/> for every ordinal; with one worker in order and on this thread. States that can be disposed are.
    /// </summary>
    /// <exception cref="CheckpointException">The first failure of a worker; the others end at their next chunk.</exception>
    internal static void Run<T>(
        IReadOnlyList<int> ordinals,
        int workers,
        Func<T> createState,
        Action<int, T> work,
        CancellationToken cancellation
    )
    {
        if (workers == 1 || ordinals.Count < 2)
        {
            RunHere(ordinals, createState, work, cancellation);
            return;
        }

        ParallelOptions options = new() { MaxDegreeOfParallelism = workers, CancellationToken = cancellation };
        try
        {
            Parallel.For(
                0,
                ordinals.Count,
                options,
                createState,
                (i, _, state) =>
                {
                    work(ordinals[i], state);
                    return state;
                },
                state => (state as IDisposable)?.Dispose()
            );
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions.FirstOrDefault(inner => inner is CheckpointException) ?? e.InnerExceptions[0]);
        }
    }

    private static void RunHere<T>(IReadOnlyList<int> ordinals, Func<T> createState, Action<int, T> work, CancellationToken cancellation)
    {
        T state = createState();
        using IDisposable? ended = state as IDisposable;
        foreach (int ordinal in ordinals)
        {
            cancellation.ThrowIfCancellationRequested();
            work(ordinal, state);
        }
    }
}
