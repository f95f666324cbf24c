namespace ApolloCheckpoint.Engine.Journaling.Deltas;

/// <summary>How the change of one chunk is coded in a delta. The numbers are part of the format and never change.</summary>
public enum ChunkEncoding : byte
{
    /// <summary>Class code: changed elements as gaps inside one exponent class, steps in units in the last place (docs/format-codec.md).</summary>
    ClassCode = 1,

    /// <summary>Gaps and XORs of the disk type, zstd.</summary>
    GapCode = 2,

    /// <summary>XOR of all bytes, byte planes, zstd.</summary>
    Dense = 3,

    /// <summary>The bytes after only: where the bytes before are damaged. Cannot go backward.</summary>
    Repair = 4,
}
