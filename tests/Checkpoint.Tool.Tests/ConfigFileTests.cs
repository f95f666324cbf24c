using ApolloCheckpoint.Engine;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Tool.Tests;

/// <summary>Options from a file: the same words as typed ones.</summary>
public sealed class ConfigFileTests : IDisposable
{
    private readonly TempDirectory folder = new();

    [Fact]
    public void Text_numbers_and_switches_become_words_and_what_is_typed_wins()
    {
        string file = Write(
            """
            {
              // the model
              "model-dir": "/m/-x y", "keep": 7, "fold-first": true, "no-verify": false, "every": "1m", "at": "02:00",
            }
            """
        );
        Assert.Equal(
            ["run", "--every", "5m", "--config", file, "--at=04:00", "--model-dir=/m/-x y", "--keep=7", "--fold-first"],
            ConfigFile.Expand(["run", "--every", "5m", "--config", file, "--at=04:00"])
        );
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("{\"keep\": [1]}")]
    [InlineData("{")]
    public void File_that_is_no_object_of_options_is_refused(string text) =>
        Assert.Equal(
            CheckpointError.Usage,
            Assert.Throws<CheckpointException>(() => ConfigFile.Expand(["run", "--config", Write(text)])).Error
        );

    [Fact]
    public void File_that_is_missing_or_names_an_unknown_option_is_a_usage_error()
    {
        Assert.Equal(2, ToolRun.Run("run", "--config", folder.File("none")).ExitCode);
        ToolRun unknown = ToolRun.Run("run", "--model-dir", "/m", "--config", Write("{\"evrey\": \"1m\"}"));
        Assert.Equal(2, unknown.ExitCode);
        Assert.Contains("--evrey", unknown.Error);
    }

    public void Dispose() => folder.Dispose();

    private string Write(string text)
    {
        string file = folder.File("config.json");
        File.WriteAllText(file, text);
        return file;
    }
}
