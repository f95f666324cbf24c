namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>Tensor parallel on two ranks, with biases; engine core and workers in processes of their own.</summary>
public sealed class ServedTensorParallel(VllmPair vllm) : ServedRanks(vllm, "qwen2-bias")
{
    /// <inheritdoc/>
    private protected override object Options => new { tensor_parallel_size = 2, distributed_executor_backend = "mp" };

    /// <inheritdoc/>
    private protected override bool IsCoreApart => true;
}

/// <summary>Two stages, and a tied head that computes on both.</summary>
public sealed class ServedPipelineParallel(VllmPair vllm) : ServedRanks(vllm, "llama-tied")
{
    /// <inheritdoc/>
    private protected override object Options => new { pipeline_parallel_size = 2, distributed_executor_backend = "mp" };
}
