namespace ApolloCheckpoint.Engine;

/// <summary>The labels of a version. The numbers are written into deltas and never change.</summary>
public enum ConsistencyKind : byte
{
    /// <summary>One pass, nothing known.</summary>
    Unverified = 0,

    /// <summary>The reader held the trainer while it read.</summary>
    Locked = 1,

    /// <summary>The state page was even and unchanged before and after.</summary>
    Step = 2,

    /// <summary>Two passes had the same digests.</summary>
    Stable = 3,

    /// <summary>The trainer never held still; the newest bytes of every tensor were taken.</summary>
    Mixed = 4,

    /// <summary>Made by a restore, not read from a producer.</summary>
    Restored = 5,
}
