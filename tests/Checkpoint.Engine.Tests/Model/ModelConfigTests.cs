using System.Text;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Model;

public sealed class ModelConfigTests
{
    [Fact]
    public void Numbers_come_from_the_text_config_first()
    {
        ModelConfig config = Parse(
            """
            {"architectures":["A","B"],"num_attention_heads":1,"vocab_size":7,"tie_word_embeddings":false,
             "text_config":{"num_attention_heads":24,"num_key_value_heads":4,"num_experts":8,"tie_word_embeddings":true}}
            """
        );

        Assert.Equal(["A", "B"], config.Architectures);
        Assert.Equal((24L, 4L, 8L, 7L), (config.AttentionHeads, config.KeyValueHeads, config.Experts, config.VocabularySize));
        Assert.True(config.TieWordEmbeddings);
        Assert.Null(config.Quantization);
    }

    [Theory]
    [InlineData("""{"tie_word_embeddings":true}""", true)]
    [InlineData("""{"tie_word_embeddings":false}""", false)]
    [InlineData("""{"text_config":{"tie_word_embeddings":true}}""", true)]
    [InlineData("""{"tie_word_embeddings":false,"text_config":{}}""", false)]
    [InlineData("""{"tie_word_embeddings":null}""", null)]
    [InlineData("{}", null)]
    public void A_tie_is_found_at_either_level(string json, bool? tied) => Assert.Equal(tied, Parse(json).TieWordEmbeddings);

    [Theory]
    [InlineData("""{"quantization_config":{"quant_method":"fp8"}}""", "fp8")]
    [InlineData("""{"quantization_config":{}}""", "unknown")]
    [InlineData("""{"text_config":{"quantization_config":{"quant_method":"awq"}}}""", "awq")]
    [InlineData("""{"quantization_config":null}""", null)]
    public void A_quantisation_is_found(string json, string? method) => Assert.Equal(method, Parse(json).Quantization);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"architectures":"A"}""")]
    [InlineData("""{"architectures":[1]}""")]
    [InlineData("""{"architectures":["\ud800"]}""")]
    [InlineData("""{"num_attention_heads":"24"}""")]
    [InlineData("""{"num_attention_heads":-1}""")]
    [InlineData("""{"num_attention_heads":1e99}""")]
    [InlineData("""{"tie_word_embeddings":1}""")]
    [InlineData("""{"text_config":[]}""")]
    public void A_malformed_file_is_refused_by_path(string json)
    {
        using TempDirectory temp = new();
        string path = temp.File("config.json");
        File.WriteAllText(path, json);

        CheckpointException refused = Assert.Throws<CheckpointException>(() => ModelConfig.TryRead(Disk.Instance, path));

        Assert.Equal(CheckpointError.ConfigMalformed, refused.Error);
        Assert.StartsWith(path, refused.Message);
    }

    [Fact]
    public void A_file_that_is_absent_is_no_config_and_a_link_is_followed()
    {
        using TempDirectory temp = new();
        File.WriteAllText(temp.File("blob"), """{"architectures":["LlamaForCausalLM"]}""");
        File.CreateSymbolicLink(temp.File("config.json"), temp.File("blob"));

        Assert.Null(ModelConfig.TryRead(Disk.Instance, temp.File("absent.json")));
        Assert.Equal(["LlamaForCausalLM"], ModelConfig.TryRead(Disk.Instance, temp.File("config.json"))!.Architectures);
    }

    private static ModelConfig Parse(string json) => ModelConfig.Parse(Encoding.UTF8.GetBytes(json));
}
