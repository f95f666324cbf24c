namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>The producer that the newest version was read from, as state.json remembers it.</summary>
/// <param name="Kind">"vllm", "demo", "trainer", or "unknown".</param>
/// <param name="Pid">Process id, or null.</param>
/// <param name="StartTicks">Start of the process, clock ticks since boot, or null.</param>
/// <param name="BootId">The boot it ran in, or null.</param>
/// <param name="LoadedRoot">The root of the version it loaded, 32 hex digits, or null.</param>
internal sealed record ProducerRecord(string Kind, int? Pid, long? StartTicks, string? BootId, string? LoadedRoot)
{
    /// <summary>The sequence of its state page when it was last read, or null: a page that stands still while weights change is none.</summary>
    public ulong? PageSequence { get; init; }

    /// <summary>Whether it is the same process.</summary>
    internal bool IsSameProcessAs(ProducerRecord other) =>
        Pid is not null && (Pid, StartTicks, BootId) == (other.Pid, other.StartTicks, other.BootId);
}
