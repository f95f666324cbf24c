namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>Qwen3.</summary>
public sealed class ServedQwen3Tests(ServedQwen3 served) : ServedModelTests(served), IClassFixture<ServedQwen3>;
