using ApolloCheckpoint.TestKit.Crashing;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>A clock that reads what the disk holds: some moment of a day, the same for the same disk.</summary>
internal sealed class DiskClock(CrashingDisk disk) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() =>
        DateTimeOffset.UnixEpoch.AddYears(55).AddTicks((long)(disk.ContentHash % TimeSpan.TicksPerDay));
}
