namespace ApolloCheckpoint.Engine.Planning;

/// <summary>A beginning of names on disk and what vLLM puts in its place.</summary>
internal readonly record struct PrefixRule(string Disk, string Live);
