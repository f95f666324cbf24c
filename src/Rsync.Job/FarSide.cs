using System.ComponentModel;
using System.Text;
using ApolloCheckpoint.Engine;
using CliWrap;
using CliWrap.Buffered;

namespace ApolloCheckpoint.Rsync;

/// <summary>Runs rsync, and scripts on the far side; what fails leaves as a sentence with a next step (exit 20).</summary>
internal sealed class FarSide(OffsiteOptions options)
{
    // rsync and ssh answer in English, whatever the user speaks: their words are looked at.
    private static readonly Dictionary<string, string?> Environment = new() { ["LC_ALL"] = "C" };

    /// <summary>The far side in a sentence.</summary>
    internal string Name => options.Target.Host ?? "this machine";

    /// <summary>Runs rsync.</summary>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="cancel">Asks it to stop; it keeps what arrived.</param>
    /// <param name="names">File names for its standard input, or null.</param>
    internal Task<BufferedCommandResult> RsyncAsync(
        IReadOnlyList<string> arguments,
        CancellationToken cancel,
        IEnumerable<string>? names = null
    ) => RunAsync([options.RsyncProgram, .. arguments], string.Concat((names ?? []).Select(name => name + '\0')), false, cancel);

    /// <summary>Runs a script of <see cref="FarScripts"/>.</summary>
    internal Task<BufferedCommandResult> ScriptAsync(string script, CancellationToken cancel) =>
        RunAsync(RsyncArguments.FarShell(options), script, true, cancel);

    /// <summary>Runs a script whose output is bytes, and gives them to <paramref name="read"/>.</summary>
    internal async Task FetchAsync(string script, Func<Stream, CancellationToken, Task> read, CancellationToken cancel)
    {
        IReadOnlyList<string> words = RsyncArguments.FarShell(options);
        StringBuilder errors = new();
        CommandResult result = await Command(words, script)
            .WithStandardOutputPipe(PipeTarget.Create(read))
            .WithStandardErrorPipe(PipeTarget.ToStringBuilder(errors))
            .ExecuteAsync(cancel);
        if (result.ExitCode != 0)
        {
            throw Failed(result.ExitCode, errors.ToString(), isScript: true);
        }
    }

    /// <summary>A failure of rsync (or of a script) as an error.</summary>
    internal CheckpointException Failed(int code, string errors, bool isScript)
    {
        (string what, string next) = RsyncExit.Explain(code, errors, Name, isScript);
        IEnumerable<string> lines = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return new CheckpointException(CheckpointError.OffsiteFailed, $"off-site copy to {options.Target} failed: {what}", next)
        {
            Details = [.. lines.TakeLast(4).Select(line => (isScript ? "far side" : "rsync", line))],
        };
    }

    private static Command Command(IReadOnlyList<string> words, string input) =>
        Cli.Wrap(words[0])
            .WithArguments(words.Skip(1))
            .WithEnvironmentVariables(Environment)
            .WithStandardInputPipe(PipeSource.FromString(input, Encoding.UTF8))
            .WithValidation(CommandResultValidation.None);

    private async Task<BufferedCommandResult> RunAsync(IReadOnlyList<string> words, string input, bool isScript, CancellationToken cancel)
    {
        BufferedCommandResult result;
        try
        {
            // Graceful first: rsync keeps its partial file on SIGINT.
            using CancellationTokenSource forceful = new();
            using CancellationTokenRegistration late = cancel.Register(() => forceful.CancelAfter(TimeSpan.FromSeconds(10)));
            result = await Command(words, input).ExecuteBufferedAsync(Encoding.UTF8, Encoding.UTF8, forceful.Token, cancel);
        }
        catch (Win32Exception e)
        {
            throw Failed(127, e.Message, isScript);
        }

        return result.ExitCode == 0 ? result : throw Failed(result.ExitCode, result.StandardError, isScript);
    }
}
