using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Weights.Consistency;

/// <summary>
/// The trainer's side of a state page, for the demo and for tests: <see cref="Begin"/>, write weights, dispose what it gave. A trainer
/// on a GPU synchronises the device before the end, because kernels run later than they are called.
/// </summary>
internal sealed class StatePageWriter : IDisposable
{
    private readonly IDiskFile file;
    private readonly TimeProvider clock;
    private StateSnapshot state;

    private StatePageWriter(IDiskFile file, TimeProvider clock)
    {
        this.file = file;
        this.clock = clock;
    }

    /// <summary>The step it is at.</summary>
    internal ulong Step => state.Step;

    /// <summary>Makes a new page.</summary>
    /// <param name="path">Where; nothing stands there yet.</param>
    /// <param name="step">The first step.</param>
    /// <param name="clock">For the time on the page.</param>
    internal static StatePageWriter Create(string path, ulong step, TimeProvider clock)
    {
        StatePageWriter writer = new(Disk.Instance.Create(path, isPrivate: true), clock);
        writer.Publish(0, step);
        return writer;
    }

    /// <summary>Enters a step: waits for readers that hold the page, then says that weights are being written.</summary>
    /// <returns>Leaves the step when disposed: the step counts one up.</returns>
    internal IDisposable Begin(CancellationToken cancellation)
    {
        IDisposable? hold;
        while ((hold = FileLock.TryTake(file.Path, shared: false)) is null)
        {
            cancellation.ThrowIfCancellationRequested();
            Thread.Sleep(1);
        }

        Publish(state.Sequence + 1, state.Step);
        return new Bracket(this, hold);
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private void Publish(ulong sequence, ulong step)
    {
        ulong now = (ulong)(clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
        state = new StateSnapshot(sequence, step, now, Environment.ProcessId);
        Span<byte> page = stackalloc byte[StatePageFormat.Size];
        StatePageFormat.Write(page, state);
        file.Write(page, 0);
    }

    private sealed class Bracket(StatePageWriter writer, IDisposable hold) : IDisposable
    {
        private bool isOver;

        public void Dispose()
        {
            if (!isOver)
            {
                isOver = true;
                writer.Publish(writer.state.Sequence + 1, writer.state.Step + 1);
                hold.Dispose();
            }
        }
    }
}
