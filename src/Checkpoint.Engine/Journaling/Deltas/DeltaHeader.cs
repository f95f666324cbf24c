using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Deltas;

/// <summary>The header of a delta file: which version it makes of which, and what is known of it.</summary>
public sealed record DeltaHeader
{
    /// <summary>Random id of the history, made at the first sync or adopt.</summary>
    public required Digest128 Lineage { get; init; }

    /// <summary>Identity of the model's layout (<see cref="Model.ModelLayout.Identity"/>).</summary>
    public required Digest128 ModelIdentity { get; init; }

    /// <summary>The version this delta makes; parent + 1.</summary>
    public required long Version { get; init; }

    /// <summary>Digest over all chunk digests of the parent version.</summary>
    public required Digest128 ParentRoot { get; init; }

    /// <summary>Digest over all chunk digests of the new version.</summary>
    public required Digest128 Root { get; init; }

    /// <summary>The trainer's step, or null.</summary>
    public long? Step { get; init; }

    /// <summary>Nanoseconds since 1970, never before the parent's time.</summary>
    public required long TimeNs { get; init; }

    /// <summary>How consistent the read was.</summary>
    public required ConsistencyLabel Label { get; init; }

    /// <summary>Units that changed in the whole model.</summary>
    public long ChangedUnits { get; init; }

    /// <summary>Units compared in the whole model.</summary>
    public long ComparedUnits { get; init; }

    /// <summary>Producer's kind and description, for the log; at most 4096 bytes of UTF-8, may be empty.</summary>
    public string Producer { get; init; } = "";

    /// <summary>Process id of the producer, or null.</summary>
    public int? ProducerPid { get; init; }

    /// <summary>Start of that process, clock ticks since boot, or null.</summary>
    public long? ProducerStartTicks { get; init; }

    /// <summary>The version it was made of.</summary>
    public long Parent => Version - 1;
}
