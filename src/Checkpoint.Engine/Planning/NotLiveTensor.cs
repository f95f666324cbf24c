using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>A tensor on disk without live counterpart, which is left as it is.</summary>
/// <param name="Shard">The shard that holds it.</param>
/// <param name="Entry">The tensor.</param>
/// <param name="Reason">Why: "mtp.* is skipped by the loader", "tied to model.embed_tokens.weight".</param>
public sealed record NotLiveTensor(Shard Shard, TensorEntry Entry, string Reason);
