using ApolloCheckpoint.Engine.Weights.Consistency;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.TestKit;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Consistency;

public sealed class StatePageTests : IDisposable
{
    private readonly TempDirectory folder = TempDirectory.InMemory();
    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly StatePageWriter writer;
    private readonly StatePage page;

    public StatePageTests()
    {
        File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        writer = StatePageWriter.Create(folder.File("state.bin"), 88210, clock);
        page = StatePage.TryOpen(folder.File("state.bin"), FileRules.For(null))!;
    }

    public void Dispose()
    {
        page.Dispose();
        writer.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void The_layout_is_the_documented_one()
    {
        byte[] expected = new byte[64];
        "APOLLOSP"u8.CopyTo(expected);
        BitConverter.TryWriteBytes(expected.AsSpan(16), 88210UL);
        BitConverter.TryWriteBytes(expected.AsSpan(24), 1767323045000000000UL);
        BitConverter.TryWriteBytes(expected.AsSpan(32), Environment.ProcessId);
        Assert.Equal(expected, File.ReadAllBytes(folder.File("state.bin")));
    }

    [Fact]
    public void A_step_is_odd_inside_and_counts_at_its_end()
    {
        Assert.Equal(new StateSnapshot(0, 88210, 1767323045000000000, Environment.ProcessId), page.Read());
        using (writer.Begin(CancellationToken.None))
        {
            Assert.Equal((1UL, 88210UL, true), (page.Read().Sequence, page.Read().Step, page.Read().IsBeingWritten));
        }

        Assert.Equal((2UL, 88211UL, false), (page.Read().Sequence, page.Read().Step, page.Read().IsBeingWritten));
    }

    [Fact]
    public void A_reader_cannot_hold_a_trainer_that_is_inside_and_the_wait_ends()
    {
        using IDisposable step = writer.Begin(CancellationToken.None);
        Assert.Null(page.TryHoldShared(TimeSpan.FromMilliseconds(20), CancellationToken.None));
    }

    [Fact]
    public void A_trainer_waits_for_readers_that_hold_the_page()
    {
        using IDisposable first = page.TryHoldShared(TimeSpan.Zero, CancellationToken.None)!;
        IDisposable second = page.TryHoldShared(TimeSpan.Zero, CancellationToken.None)!;
        second.Dispose();
        using CancellationTokenSource soon = new(50);
        Assert.Throws<OperationCanceledException>(() => writer.Begin(soon.Token));
        Assert.Equal(0UL, page.Read().Sequence);
        first.Dispose();
        writer.Begin(CancellationToken.None).Dispose();
        Assert.Equal(2UL, page.Read().Sequence);
    }

    [Fact]
    public async Task Fields_belong_together_while_a_trainer_steps_all_the_time()
    {
        using CancellationTokenSource over = new();
        Task trainer = Task.Run(() =>
        {
            while (!over.IsCancellationRequested)
            {
                writer.Begin(CancellationToken.None).Dispose();
            }
        });
        for (int i = 0; i < 2000; i++)
        {
            StateSnapshot state = page.Read();
            if (!state.IsBeingWritten)
            {
                Assert.Equal(88210 + state.Sequence / 2, state.Step);
            }
        }

        await over.CancelAsync();
        await trainer;
    }

    [Fact]
    public void A_page_that_is_cut_short_or_something_else_is_refused()
    {
        using (FileStream file = File.OpenWrite(folder.File("state.bin")))
        {
            file.SetLength(0);
        }

        CheckpointException failure = Assert.Throws<CheckpointException>(() => page.Read());
        Assert.Equal((CheckpointError.HandlesMalformed, $"{folder.File("state.bin")} is no state page"), (failure.Error, failure.Message));
    }

    [Fact]
    public void No_page_is_null() => Assert.Null(StatePage.TryOpen(folder.File("none"), FileRules.For(null)));
}
