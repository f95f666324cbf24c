using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Baselines;

/// <summary>What a baseline file is of.</summary>
/// <param name="Lineage">The history.</param>
/// <param name="Identity">The model's layout.</param>
/// <param name="Root">Root of the version whose bytes it holds.</param>
/// <param name="Version">That version.</param>
/// <param name="Boot">xxh3-128 of the id of the boot in which it was written: no file in memory is of another.</param>
internal readonly record struct BaselineStamp(Digest128 Lineage, Digest128 Identity, Digest128 Root, long Version, Digest128 Boot);
