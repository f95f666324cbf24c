namespace ApolloCheckpoint.Engine.Verification;

/// <summary>One place where a file is not what was recorded.</summary>
/// <param name="Kind">Short: "bytes" (another digest), "unreadable", "header", "delta".</param>
/// <param name="FileName">The shard, or the delta.</param>
/// <param name="Tensor">The tensor, or null where none is concerned.</param>
/// <param name="FileOffset">Bytes from the start of the file.</param>
/// <param name="Length">Bytes; a digest says of a whole chunk that it differs, not where inside.</param>
/// <param name="Text">The same as a sentence.</param>
internal sealed record VerifyDamage(string Kind, string FileName, string? Tensor, long FileOffset, long Length, string Text);
