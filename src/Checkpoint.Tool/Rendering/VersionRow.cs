using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>One version as <c>log</c> shows it.</summary>
/// <param name="Version">The number.</param>
/// <param name="Time">When it was committed, UTC.</param>
/// <param name="Step">The trainer's step, or null.</param>
/// <param name="Label">How its bytes were read.</param>
/// <param name="ChangedUnits">Elements that changed.</param>
/// <param name="ComparedUnits">Elements compared.</param>
/// <param name="DeltaBytes">Bytes of its delta, or null when the file cannot be looked at.</param>
/// <param name="IsInFiles">Whether the shards hold this version.</param>
internal sealed record VersionRow(
    long Version,
    DateTimeOffset Time,
    long? Step,
    ConsistencyLabel Label,
    long ChangedUnits,
    long ComparedUnits,
    long? DeltaBytes,
    bool IsInFiles
);
