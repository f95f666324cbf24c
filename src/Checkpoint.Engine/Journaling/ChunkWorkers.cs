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
    /// Threads of our own, because a parallel loop makes new states as it goes, and a state here is megabytes of buffers.
    /// </summary>
    /// <exception cref="CheckpointException">The first failure of a worker; the others end at their next chunk.</exception>
    internal static void Run<T>(
        IReadOnlyList<int> ordinals,
        int workers,
        Func<T> createState,
        Action<int, T> work,
        CancellationToken cancellation
    ) => RunAhead(ordinals, workers, createState, null, work, cancellation);

    /// <summary>As <see cref="Run"/>; <paramref name="expect"/> tells a worker its next ordinal before it works on the one before.</summary>
    internal static void RunAhead<T>(
        IReadOnlyList<int> ordinals,
        int workers,
        Func<T> createState,
        Action<int, T>? expect,
        Action<int, T> work,
        CancellationToken cancellation
    )
    {
        int taken = -1;
        ExceptionDispatchInfo? failure = null;
        // A model of a few small chunks is done before a thread has started.
        Thread[] others = [.. Enumerable.Range(1, Math.Min(workers, ordinals.Count / 4 + 1) - 1).Select(_ => new Thread(Work))];
        Array.ForEach(others, thread => thread.Start());
        Work();
        Array.ForEach(others, thread => thread.Join());
        failure?.Throw();

        void Work()
        {
            try
            {
                T state = createState();
                using IDisposable? ended = state as IDisposable;
                int place = Take(state);
                while (place < ordinals.Count)
                {
                    cancellation.ThrowIfCancellationRequested();
                    int next = expect is null ? -1 : Take(state);
                    work(ordinals[place], state);
                    place = expect is null ? Take(state) : next;
                }
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(e), null);
                Interlocked.Exchange(ref taken, ordinals.Count);
            }
        }

        int Take(T state)
        {
            int place = Interlocked.Increment(ref taken);
            if (place < ordinals.Count)
            {
                expect?.Invoke(ordinals[place], state);
            }

            return place;
        }
    }

    /// <summary>
    /// As <see cref="Run"/>, and calls <paramref name="inOrder"/> for every ordinal after its work: one at a time, in the order of the
    /// list, with the state that did the work.
    /// </summary>
    internal static void RunInOrder<T>(
        IReadOnlyList<int> ordinals,
        int workers,
        Func<T> createState,
        Action<int, T> work,
        Action<int, T> inOrder,
        CancellationToken cancellation
    )
    {
        object gate = new();
        int turn = 0;
        bool hasFailed = false;
        Run([.. Enumerable.Range(0, ordinals.Count)], workers, createState, Work, CancellationToken.None);

        void Work(int place, T state)
        {
            try
            {
                // Here and not in the loop around: a place that is never worked on would be waited for.
                cancellation.ThrowIfCancellationRequested();
                work(ordinals[place], state);
                lock (gate)
                {
                    while (turn != place && !hasFailed)
                    {
                        Monitor.Wait(gate);
                    }

                    if (!hasFailed)
                    {
                        inOrder(ordinals[place], state);
                        turn++;
                    }

                    Monitor.PulseAll(gate);
                }
            }
            catch
            {
                lock (gate)
                {
                    hasFailed = true;
                    Monitor.PulseAll(gate);
                }

                throw;
            }
        }
    }
}
