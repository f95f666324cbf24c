namespace ApolloCheckpoint.Rsync;

/// <summary>Stands for the lock where there is nothing to lock.</summary>
internal sealed class NothingHeld : IDisposable
{
    internal static NothingHeld Instance { get; } = new();

    /// <inheritdoc/>
    public void Dispose() { }
}
