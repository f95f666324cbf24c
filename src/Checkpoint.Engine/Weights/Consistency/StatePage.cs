using System.Diagnostics;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.Engine.Weights.Consistency;

/// <summary>
/// Reads the page on which a trainer says whether it is writing weights, and at which step it is. The sequence is a sequence lock: read
/// it, read the weights, read it again; even and unchanged means that nothing was written in between. The same bracket of the trainer
/// holds an exclusive flock on the page, so a reader with a shared one makes it wait at its next step.
/// <para>
/// Read by pread of one aligned cache line, which sees the writer's mapping at once (one page cache), and cannot fault when somebody
/// cuts the file short.
/// </para>
/// </summary>
internal sealed class StatePage : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);
    private readonly IDiskFile file;

    private StatePage(IDiskFile file) => this.file = file;

    /// <summary>Opens the page under the rules of handles files.</summary>
    /// <returns>The page, or null when there is none at the path.</returns>
    /// <exception cref="CheckpointException">HandlesUnsafe; HandlesMalformed: not a state page.</exception>
    internal static StatePage? TryOpen(string path, FileRules rules)
    {
        if (rules.TryOpen(path) is not { } file)
        {
            return null;
        }

        StatePage page = new(file);
        try
        {
            page.Read();
            return page;
        }
        catch
        {
            page.Dispose();
            throw;
        }
    }

    /// <summary>What it says now. The fields belong together when the sequence is even.</summary>
    /// <exception cref="CheckpointException">HandlesMalformed: it is no state page (any more).</exception>
    internal StateSnapshot Read()
    {
        Span<byte> first = stackalloc byte[StatePageFormat.Size];
        Span<byte> second = stackalloc byte[StatePageFormat.Size];
        for (int attempt = 0; ; attempt++)
        {
            StateSnapshot one = Read(first);
            StateSnapshot two = Read(second);
            // Twice the same: no writer was between the fields of the copy. One that writes all the time is inside by definition.
            if (one == two || attempt == 100)
            {
                return two;
            }
        }
    }

    /// <summary>Keeps the trainer out of its next step until disposed.</summary>
    /// <param name="timeout">How long to wait for a trainer that is inside.</param>
    /// <param name="cancellation">Stops the wait.</param>
    /// <returns>The hold, or null when the time is over. It dies with the process.</returns>
    internal IDisposable? TryHoldShared(TimeSpan timeout, CancellationToken cancellation)
    {
        long begin = Stopwatch.GetTimestamp();
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            if (FileLock.TryTake(file.Path, shared: true) is { } hold)
            {
                return hold;
            }

            if (Stopwatch.GetElapsedTime(begin) >= timeout)
            {
                return null;
            }

            cancellation.WaitHandle.WaitOne(Pause);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private StateSnapshot Read(Span<byte> page) =>
        file.Read(page, 0) == page.Length && StatePageFormat.Parse(page) is { } state
            ? state
            : throw HandlesFile.Malformed(file.Path, "is no state page");
}
