using System.Diagnostics;

namespace ApolloCheckpoint.Engine;

/// <summary>The source of the engine's spans: one a sync, one a stage. Costs nothing while nobody listens.</summary>
public static class EngineActivity
{
    /// <summary>Name of the source and of the meter.</summary>
    public const string SourceName = "ApolloCheckpoint.Engine";

    /// <summary>The source.</summary>
    public static ActivitySource Source { get; } = new(SourceName);
}
