namespace ApolloCheckpoint.Engine.Model;

/// <summary>One chunk of one tensor on disk.</summary>
/// <param name="Ordinal">Its number in the whole model, counted over shards, tensors and parts in order.</param>
/// <param name="Shard">The shard that holds it.</param>
/// <param name="Tensor">Its tensor.</param>
/// <param name="FirstUnit">Its first unit, from the start of the tensor (elements; bytes for types packed below a byte).</param>
/// <param name="Units">How many units; 1 to 1 Mi.</param>
public readonly record struct Chunk(int Ordinal, Shard Shard, TensorEntry Tensor, long FirstUnit, int Units)
{
    /// <summary>Bytes of the chunk on disk; at most 2 MiB.</summary>
    public int ByteLength => Units * Tensor.Type.UnitBytes();

    /// <summary>Bytes from the start of the shard file.</summary>
    public long FileOffset => Tensor.FileOffset + FirstUnit * Tensor.Type.UnitBytes();
}
