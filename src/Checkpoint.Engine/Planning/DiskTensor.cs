using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>A tensor on disk and the shard that holds it.</summary>
internal sealed record DiskTensor(Shard Shard, TensorEntry Entry)
{
    internal string Name => Entry.Name;
}
