using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>The page for trainers shows what the tests train with.</summary>
[Trait("Ring", "vllm")]
public sealed class DocumentationTests
{
    /// <summary>The example, as the page names it.</summary>
    internal const string Example = "python/apollo-vllm/examples/train_served_model.py";

    [Fact]
    public void The_trainers_page_shows_the_example_as_it_stands()
    {
        string page = File.ReadAllText(Repository.PathOf("docs", "training-a-served-model.md"));

        Assert.Contains($"```python\n{File.ReadAllText(Repository.PathOf(Example.Split('/')))}```", page, StringComparison.Ordinal);
        Assert.Contains(Example, page, StringComparison.Ordinal);
    }
}
