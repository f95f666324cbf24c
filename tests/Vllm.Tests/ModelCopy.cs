using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>Copies of the tiny models, for tests to write to.</summary>
internal static class ModelCopy
{
    /// <summary>Copies a model of the fixtures into an existing folder.</summary>
    internal static void Of(string model, string folder)
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Fixtures.Models, model)))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }
    }
}
