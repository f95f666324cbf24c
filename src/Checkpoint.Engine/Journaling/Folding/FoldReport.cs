namespace ApolloCheckpoint.Engine.Journaling.Folding;

/// <summary>What a fold did.</summary>
/// <param name="FilesVersion">The version that the files hold now.</param>
/// <param name="Shards">The shards that were written, by file name.</param>
/// <param name="Warning">Why the files are not at the newest version, one sentence; null when they are.</param>
internal sealed record FoldReport(long FilesVersion, IReadOnlyList<FoldedShard> Shards, string? Warning)
{
    /// <summary>Bytes written in all.</summary>
    internal long WrittenBytes => Shards.Sum(shard => shard.WrittenBytes);
}
