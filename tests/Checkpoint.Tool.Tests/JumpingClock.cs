using Microsoft.Extensions.Time.Testing;

namespace ApolloCheckpoint.Tool.Tests;

/// <summary>A clock whose timers are due at once, because it jumps to them: what waits for hours ends in no time, in order.</summary>
/// <param name="inner">The clock that is moved; what others wait for on it comes due on the way.</param>
internal sealed class JumpingClock(FakeTimeProvider inner) : TimeProvider
{
    /// <summary>Called whenever it has jumped.</summary>
    public Action? Jumped { get; set; }

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

    /// <inheritdoc/>
    public override long GetTimestamp() => inner.GetTimestamp();

    /// <inheritdoc/>
    public override long TimestampFrequency => inner.TimestampFrequency;

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ITimer timer = inner.CreateTimer(callback, state, dueTime, period);
        if (dueTime > TimeSpan.Zero)
        {
            inner.Advance(dueTime);
            Jumped?.Invoke();
        }

        return timer;
    }
}
