namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>A tiny Qwen3.</summary>
public sealed class ServedQwen3() : ServedModel("qwen3");
