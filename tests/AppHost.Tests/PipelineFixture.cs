namespace ApolloCheckpoint.AppHost.Tests;

/// <summary>One running pipeline for all tests: starting it takes longer than any of them.</summary>
public sealed class PipelineFixture : IDisposable
{
    internal RunningPipeline Pipeline { get; } = new();

    public void Dispose() => Pipeline.Dispose();
}
