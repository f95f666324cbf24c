using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace ApolloCheckpoint.Tool.Tests.Processes;

/// <summary>The built tool as a real process: exit codes, streams and signals as a script sees them.</summary>
internal sealed class ToolProcess : IDisposable
{
    /// <summary>No test waits longer; a machine that is busy may need a while to start a process.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly Task reading;
    private readonly Task<string> errors;

    private ToolProcess(Process process)
    {
        this.process = process;
        reading = ReadOutput();
        errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>What it has said on standard output so far, in whole lines.</summary>
    public string Said
    {
        get
        {
            lock (output)
            {
                return output.ToString();
            }
        }
    }

    /// <summary>Starts it.</summary>
    public static ToolProcess Start(params string[] arguments) => StartIn([], arguments);

    /// <summary>Starts it with variables in its environment: "NAME=value".</summary>
    public static ToolProcess StartIn(IReadOnlyList<string> environment, params string[] arguments)
    {
        // Compiled ahead of time the tool starts several times as fast; build.sh names that one for the tests that start it hundreds of times.
        string[] tool = Environment.GetEnvironmentVariable("APOLLO_PUBLISHED_TOOL") is { Length: > 0 } published
            ? [published]
            : ["dotnet", Path.Combine(AppContext.BaseDirectory, "apollo-checkpoint.dll")];
        // A test run in the background of a script ignores SIGINT, and so would its children; env becomes the tool, with the same pid.
        ProcessStartInfo start = new("env", ["--default-signal=INT,TERM", .. environment, .. tool, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start");
        process.StandardInput.Close();
        return new ToolProcess(process);
    }

    /// <summary>Runs it to its end.</summary>
    public static ToolRun Run(params string[] arguments)
    {
        using ToolProcess tool = Start(arguments);
        return tool.WaitForEnd();
    }

    /// <summary>Waits for its end.</summary>
    public ToolRun WaitForEnd()
    {
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
            throw new TimeoutException("the tool did not end");
        }

        reading.GetAwaiter().GetResult();
        return new ToolRun(process.ExitCode, Said, errors.GetAwaiter().GetResult());
    }

    /// <summary>Sends a signal by its name, such as "INT".</summary>
    public void Signal(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private async Task ReadOutput()
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            lock (output)
            {
                output.Append(line).Append('\n');
            }
        }
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
            process.WaitForExit();
        }

        process.Dispose();
    }
}
