namespace ApolloCheckpoint.Engine.Planning;

/// <summary>One region, as a row of the plan table and a record of its JSON.</summary>
/// <param name="Live">The live tensor.</param>
/// <param name="Rank">The producer's rank that holds it.</param>
/// <param name="Disk">The tensor on disk.</param>
/// <param name="Shard">The file that holds it.</param>
/// <param name="Rule">What found it: "same name", "qkv_proj merge", "handles".</param>
/// <param name="Rows">Rows of the live tensor, "0..10240"; the whole rectangle where other dimensions are cut; empty for a scalar.</param>
/// <param name="FileRows">The same on disk.</param>
/// <param name="LiveType">Element type in memory.</param>
/// <param name="DiskType">Element type on disk.</param>
/// <param name="Bytes">Bytes of the region on disk.</param>
public sealed record PlanRow(
    string Live,
    int Rank,
    string Disk,
    string Shard,
    string Rule,
    string Rows,
    string FileRows,
    string LiveType,
    string DiskType,
    long Bytes
);
