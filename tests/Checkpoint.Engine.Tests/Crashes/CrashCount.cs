using ApolloCheckpoint.TestKit.Crashing;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>The images of all scenarios together: one that two of them lead to counts once.</summary>
public sealed class CrashCount
{
    public CrashLedger Ledger { get; } = new();
}
