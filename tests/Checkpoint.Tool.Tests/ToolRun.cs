using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Tests;

/// <summary>One command line run inside the test's own process, with what it said.</summary>
internal sealed record ToolRun(int ExitCode, string Out, string Error)
{
    /// <summary>Runs it; the engine is whatever the test says.</summary>
    public static ToolRun Run(Func<SyncRequest, SyncReport> sync, params string[] arguments)
    {
        using StringWriter output = new() { NewLine = "\n" };
        using StringWriter error = new() { NewLine = "\n" };
        ToolConsole console = new() { Out = output, Error = error };
        ToolContext context = new(console, (request, _, _) => sync(request), CancellationToken.None);
        int exitCode = CommandLine.Run(arguments, context);
        return new ToolRun(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>Runs a command line that must not reach the engine.</summary>
    public static ToolRun Run(params string[] arguments) =>
        Run(_ => throw new InvalidOperationException("the engine was called"), arguments);

    /// <summary>Exit code, both streams: what a snapshot holds.</summary>
    public override string ToString() => $"exit {ExitCode}\n--- stdout\n{Out}--- stderr\n{Error}".ReplaceLineEndings("\n").TrimEnd('\n');
}
