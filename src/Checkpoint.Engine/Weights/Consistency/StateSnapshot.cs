namespace ApolloCheckpoint.Engine.Weights.Consistency;

/// <summary>What a state page said at one moment.</summary>
/// <param name="Sequence">Grows by one at the begin and by one at the end of every write; odd while a writer is inside.</param>
/// <param name="Step">The trainer's own counter.</param>
/// <param name="UnixNs">When the page was last written, nanoseconds since 1970.</param>
/// <param name="WriterPid">Who wrote it; 0 when it does not say.</param>
public readonly record struct StateSnapshot(ulong Sequence, ulong Step, ulong UnixNs, int WriterPid)
{
    /// <summary>Whether a writer is between begin and end.</summary>
    public bool IsBeingWritten => (Sequence & 1) == 1;
}
