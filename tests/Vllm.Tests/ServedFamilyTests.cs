namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>A model of several files.</summary>
public sealed class ServedShardedLlamaTests(ServedShardedLlama served) : ServedModelTests(served), IClassFixture<ServedShardedLlama>;

/// <summary>A tied head.</summary>
public sealed class ServedTiedLlamaTests(ServedTiedLlama served) : ServedModelTests(served), IClassFixture<ServedTiedLlama>;

/// <summary>Biases.</summary>
public sealed class ServedQwen2Tests(ServedQwen2 served) : ServedModelTests(served), IClassFixture<ServedQwen2>;

/// <summary>Qwen3.</summary>
public sealed class ServedQwen3Tests(ServedQwen3 served) : ServedModelTests(served), IClassFixture<ServedQwen3>;

/// <summary>A mixture of experts.</summary>
public sealed class ServedQwen3MoeTests(ServedQwen3Moe served) : ServedModelTests(served), IClassFixture<ServedQwen3Moe>;

/// <summary>Linear attention and F32 on disk.</summary>
public sealed class ServedQwen35Tests(ServedQwen35 served) : ServedModelTests(served), IClassFixture<ServedQwen35>;
