using ApolloCheckpoint.Engine.Weights.Consistency;

namespace ApolloCheckpoint.Engine.Scanning;

/// <summary>Why live bytes are no version (exit 17): each with the way on.</summary>
internal static class InconsistentSource
{
    private const int Shown = 3;

    /// <summary>Strict reading, and the trainer never held still, or did so inside a step.</summary>
    internal static CheckpointException Moved(IReadOnlyList<string> moved, int passes) =>
        new(
            CheckpointError.SourceInconsistent,
            moved.Count > 0
                ? $"the trainer changed {moved.Count} tensors while they were read, in each of {passes} passes"
                : $"the trainer was inside a step while its weights were read, in each of {passes} passes",
            "hold it while reading: --consistency lock; or take the newest bytes of each tensor: --consistency auto"
        )
        {
            Details = [.. moved.Take(Shown).Select(name => ("moved", name))],
        };

    /// <summary>Strict reading, and ranks compute with different copies of one tensor.</summary>
    internal static CheckpointException CopiesDiffer(IReadOnlyCollection<string> names) =>
        new(
            CheckpointError.SourceInconsistent,
            $"the copies of {names.Count} tensors that several ranks compute with are not the same",
            "have the trainer write every copy (apollo_vllm.attach_ranks); or take that of the first rank: --consistency auto"
        )
        {
            Details = [.. names.Order(StringComparer.Ordinal).Take(Shown).Select(name => ("differs", name))],
        };

    /// <summary>The writer of the state page died inside its bracket.</summary>
    internal static CheckpointException HalfStep(StateSnapshot state) =>
        new(
            CheckpointError.SourceInconsistent,
            $"the trainer (pid {state.WriterPid}) died inside step {state.Step + 1}: part of the weights are a step behind the others",
            "start the trainer again, its next step makes them whole; or take them as they are: --consistency none"
        );
}
