using System.Diagnostics;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>The built tool as a process: what a cron line runs.</summary>
internal sealed class ToolRun : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Process process;
    private readonly Task<string> output;
    private readonly Task<string> errors;

    private ToolRun(Process process)
    {
        this.process = process;
        output = process.StandardOutput.ReadToEndAsync();
        errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Everything it said.</summary>
    internal string Text => output.GetAwaiter().GetResult() + errors.GetAwaiter().GetResult();

    /// <summary>Starts it.</summary>
    internal static ToolRun Start(params string[] arguments)
    {
        ProcessStartInfo start = new(BuiltTool.Command[0], [.. BuiltTool.Command.Skip(1), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new ToolRun(Process.Start(start)!);
    }

    /// <summary>Runs it; it must end well.</summary>
    internal static string Run(params string[] arguments)
    {
        using ToolRun run = Start(arguments);
        int code = run.Wait();
        Assert.True(code == 0, $"{string.Join(' ', arguments)} ended with {code}\n{run.Text}");
        return run.Text;
    }

    /// <summary>Waits for its end; gives its exit code.</summary>
    internal int Wait()
    {
        Assert.True(process.WaitForExit(Patience), "the tool does not end");
        return process.ExitCode;
    }

    /// <summary>Ends it as the kernel would.</summary>
    internal void Kill()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        process.Dispose();
    }
}
