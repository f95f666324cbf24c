namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>A tiny Llama with a head of its own.</summary>
public sealed class ServedLlama() : ServedModel("llama-untied");
