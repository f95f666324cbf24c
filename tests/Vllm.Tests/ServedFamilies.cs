namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>Untied, in one file.</summary>
public sealed class ServedLlama(VllmPair vllm) : ServedModel(vllm, "llama-untied");

/// <summary>In seven files.</summary>
public sealed class ServedShardedLlama(VllmPair vllm) : ServedModel(vllm, "llama-untied-sharded");

/// <summary>The head is the embedding.</summary>
public sealed class ServedTiedLlama(VllmPair vllm) : ServedModel(vllm, "llama-tied");

/// <summary>Biases of merged layers.</summary>
public sealed class ServedQwen2(VllmPair vllm) : ServedModel(vllm, "qwen2-bias");

/// <summary>Norms of queries and keys.</summary>
public sealed class ServedQwen3(VllmPair vllm) : ServedModel(vllm, "qwen3");

/// <summary>Experts: one tensor each on disk, all in two live ones, fused in transformers too.</summary>
public sealed class ServedQwen3Moe(VllmPair vllm) : ServedModel(vllm, "qwen3-moe")
{
    /// <inheritdoc/>
    internal override string Trainer => "train_copy.py";
}

/// <summary>Linear attention; F32 on disk, of which the norms are BF16 live and A_log is F32.</summary>
public sealed class ServedQwen35(VllmPair vllm) : ServedModel(vllm, "par-qwen3.5-text");
