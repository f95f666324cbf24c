namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>What the caller knows of a version that it commits; the journal knows the rest.</summary>
internal sealed record VersionFacts
{
    /// <summary>How consistent the read was.</summary>
    internal required ConsistencyLabel Label { get; init; }

    /// <summary>The trainer's step, or null.</summary>
    internal long? Step { get; init; }

    /// <summary>Units that changed in the whole model.</summary>
    internal long ChangedUnits { get; init; }

    /// <summary>Units compared in the whole model.</summary>
    internal long ComparedUnits { get; init; }

    /// <summary>The producer it was read from, or null for a restore.</summary>
    internal ProducerRecord? Producer { get; init; }

    /// <summary>The producer's kind and description, for the log.</summary>
    internal string ProducerText { get; init; } = "";
}
