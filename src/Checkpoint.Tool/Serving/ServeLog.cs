using ApolloCheckpoint.Engine;
using Microsoft.Extensions.Logging;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>What the engine's service logs. Event ids from 200 on are its own, and never change (docs/telemetry.md).</summary>
internal static partial class ServeLog
{
    [LoggerMessage(200, LogLevel.Information, "serving {Model} on {Address}; status page: {Page}", EventName = "engine.started")]
    public static partial void Started(this ILogger log, string model, string address, string page);

    [LoggerMessage(201, LogLevel.Information, "run {Run} ({Kind}) started, asked by {By}", EventName = "run.started")]
    public static partial void RunStarted(this ILogger log, int run, RunKind kind, string by);

    [LoggerMessage(202, LogLevel.Information, "run {Run} ({Kind}): {Sentence} ({Seconds} s)", EventName = "run.done")]
    public static partial void RunDone(this ILogger log, int run, RunKind kind, string sentence, double seconds);

    [LoggerMessage(
        203,
        LogLevel.Error,
        "run {Run} ({Kind}) failed with {Error} (exit code {ExitCode}): {Message}; next: {Next}",
        EventName = "run.failed"
    )]
    public static partial void RunFailed(
        this ILogger log,
        Exception exception,
        int run,
        RunKind kind,
        CheckpointError error,
        int exitCode,
        string message,
        string next
    );

    [LoggerMessage(204, LogLevel.Warning, "run {Run}: {Warning}", EventName = "run.warning")]
    public static partial void RunWarning(this ILogger log, int run, string warning);

    [LoggerMessage(
        205,
        LogLevel.Warning,
        "the history of runs could not be written (run {Run}); the run goes on",
        EventName = "history.failed"
    )]
    public static partial void HistoryNotWritten(this ILogger log, Exception exception, int run);

    [LoggerMessage(206, LogLevel.Information, "stopping; a run that is under way is ended first", EventName = "engine.stopping")]
    public static partial void Stopping(this ILogger log);

    [LoggerMessage(
        207,
        LogLevel.Warning,
        "the off-site service was not told of version {Version}: {Reason}",
        EventName = "offsite.not_told"
    )]
    public static partial void OffsiteNotTold(this ILogger log, long version, string reason);
}
