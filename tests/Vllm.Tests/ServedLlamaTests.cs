namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>Llama.</summary>
public sealed class ServedLlamaTests(ServedLlama served) : ServedModelTests(served), IClassFixture<ServedLlama>;
