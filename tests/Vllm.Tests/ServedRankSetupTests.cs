namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>Tensor parallel.</summary>
public sealed class TensorParallelTests(ServedTensorParallel served) : ServedRanksTests(served), IClassFixture<ServedTensorParallel>;

/// <summary>Pipeline parallel.</summary>
public sealed class PipelineParallelTests(ServedPipelineParallel served) : ServedRanksTests(served), IClassFixture<ServedPipelineParallel>;
