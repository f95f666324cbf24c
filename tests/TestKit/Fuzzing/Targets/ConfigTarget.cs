using System.Text;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Fuzzing.Targets;

/// <summary><c>config.json</c>.</summary>
internal sealed class ConfigTarget() : FuzzTarget("config")
{
    private string Path => Folder.File("config.json");

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        Encoding.UTF8.GetBytes(
            """
            {"architectures":["Qwen3ForCausalLM"],"tie_word_embeddings":false,"num_attention_heads":32,"num_key_value_heads":8,
             "vocab_size":151936,"num_experts":null,"quantization_config":null}
            """
        ),
        Encoding.UTF8.GetBytes(
            """{"architectures":["Qwen3_5ForConditionalGeneration"],"text_config":{"tie_word_embeddings":true,"num_attention_heads":4,"quantization_config":{"quant_method":"fp8"}}}"""
        ),
        Encoding.UTF8.GetBytes("{}"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyCollection<CheckpointError> Refusals => [CheckpointError.ConfigMalformed];

    /// <inheritdoc/>
    public override void Place(byte[] file) => File.WriteAllBytes(Path, file);

    /// <inheritdoc/>
    public override void Read()
    {
        ModelConfig? config = ModelConfig.TryRead(Disk.Instance, Path);
        Require(config is { AttentionHeads: null or >= 0, Experts: null or >= 0, VocabularySize: null or >= 0 }, "a number is negative");
    }

    /// <inheritdoc/>
    public override byte[] Spoil(byte[] file, Random random) =>
        random.Next(6) == 0 ? Havoc.Spoil(file, random) : JsonHavoc.Spoil(file, random);
}
