using System.Globalization;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Storage;
using CliWrap;
using CliWrap.Buffered;

namespace ApolloCheckpoint.Rsync;

/// <summary>
/// One off-site run: hold the shards still, copy them to a staging folder on the far side, let go, make the copy current. An
/// interrupted run leaves yesterday's copy whole and is continued by the next.
/// </summary>
public sealed class OffsiteJob(OffsiteOptions options, IDisk disk, TimeProvider time)
{
    /// <summary>Runs it.</summary>
    /// <exception cref="CheckpointException">OffsiteFailed (the transfer), ShardsHeld (a fold did not end in time), ModelNotFound.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; rsync was asked to stop and keeps what arrived.</exception>
    public async Task<OffsiteReport> RunAsync(CancellationToken cancel)
    {
        long started = time.GetTimestamp();
        if (disk.Stat(options.ModelDirectory) is not { Kind: FileEntryKind.Folder })
        {
            throw new CheckpointException(
                CheckpointError.ModelNotFound,
                $"Model directory not found: {options.ModelDirectory}",
                "check --model-dir"
            );
        }

        await FarAsync(RsyncArguments.PrepareScript(options), cancel);
        BufferedCommandResult transfer;
        using (await HoldShardsAsync(cancel))
        {
            transfer = await RunAsync([options.RsyncProgram, .. RsyncArguments.Transfer(options)], cancel);
        }

        string stamp = time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        await FarAsync(RsyncArguments.PromoteScript(options, stamp), cancel);
        return new OffsiteReport(
            options.Target.ToString(),
            stamp,
            RsyncStats.Find(transfer.StandardOutput, "Total bytes sent"),
            RsyncStats.Find(transfer.StandardOutput, "Total file size"),
            time.GetElapsedTime(started)
        );
    }

    /// <summary>
    /// Takes <c>shards.lock</c> shared and makes sure that no shard is half folded under it; else lets go and waits.
    /// </summary>
    private async Task<IDisposable> HoldShardsAsync(CancellationToken cancel)
    {
        string state = Path.Combine(options.ModelDirectory, ".apollo");
        if (disk.Stat(state) is null)
        {
            // Never synced: the files are what they are, and nothing of ours writes them.
            return NothingHeld.Instance;
        }

        long started = time.GetTimestamp();
        while (true)
        {
            if (disk.TryLock(Path.Combine(state, "shards.lock"), shared: true) is { } held)
            {
                if (!IsHalfFolded(state))
                {
                    return held;
                }

                held.Dispose();
            }

            if (time.GetElapsedTime(started) >= options.LockWait)
            {
                throw new CheckpointException(
                    CheckpointError.ShardsHeld,
                    $"{options.ModelDirectory} was being folded for {options.LockWait.TotalMinutes:0} minutes, or a fold was cut off",
                    $"finish it: apollo-checkpoint fold --model-dir {options.ModelDirectory}"
                );
            }

            await Task.Delay(TimeSpan.FromSeconds(1), time, cancel);
        }
    }

    private bool IsHalfFolded(string state) =>
        disk.List(Path.Combine(state, "redo")).Count > 0
        || disk.List(options.ModelDirectory).Any(name => name.EndsWith(".folding", StringComparison.Ordinal));

    private Task<BufferedCommandResult> FarAsync(string script, CancellationToken cancel) =>
        RunAsync(RsyncArguments.FarShell(options, script), cancel);

    private async Task<BufferedCommandResult> RunAsync(IReadOnlyList<string> words, CancellationToken cancel)
    {
        BufferedCommandResult result;
        try
        {
            // Graceful first: rsync keeps its partial file on SIGINT.
            using CancellationTokenSource forceful = new();
            using CancellationTokenRegistration late = cancel.Register(() => forceful.CancelAfter(TimeSpan.FromSeconds(10)));
            result = await Cli.Wrap(words[0])
                .WithArguments(words.Skip(1))
                .WithValidation(CommandResultValidation.None)
                .ExecuteBufferedAsync(Console.OutputEncoding, Console.OutputEncoding, forceful.Token, cancel);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw Failed(127, e.Message);
        }

        return result.ExitCode == 0 ? result : throw Failed(result.ExitCode, result.StandardError);
    }

    private CheckpointException Failed(int code, string errors)
    {
        string host = options.Target.Host ?? "this machine";
        (string what, string next) = RsyncExit.Explain(code, errors, host);
        IEnumerable<string> lines = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return new CheckpointException(CheckpointError.OffsiteFailed, $"off-site copy to {options.Target} failed: {what}", next)
        {
            ModelState = $"{options.ModelDirectory} is unchanged; the newest finished copy on the far side is untouched",
            Details = [.. lines.TakeLast(4).Select(line => ("rsync", line))],
        };
    }
}
