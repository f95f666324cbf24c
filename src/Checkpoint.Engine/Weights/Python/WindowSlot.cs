namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>Where one thread waits for one window to be filled. Used by one reader at a time, whoever holds the window.</summary>
internal sealed class WindowSlot : IDisposable
{
    // Spins for some microseconds before it sleeps: an answer is often that near.
    private readonly ManualResetEventSlim filled = new(initialState: false);
    private HostFailure? failure;

    /// <summary>Before the request is sent.</summary>
    internal void Begin()
    {
        failure = null;
        filled.Reset();
    }

    /// <summary>From the receiver: filled, or failed.</summary>
    internal void Complete(HostFailure? reason)
    {
        failure = reason;
        filled.Set();
    }

    /// <summary>Waits for <see cref="Complete"/>.</summary>
    /// <returns>Why the window could not be filled, or null.</returns>
    internal HostFailure? Wait()
    {
        filled.Wait();
        return failure;
    }

    /// <inheritdoc/>
    public void Dispose() => filled.Dispose();
}
