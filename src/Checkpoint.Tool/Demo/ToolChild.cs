using System.Diagnostics;

namespace ApolloCheckpoint.Tool.Demo;

/// <summary>This very tool as a child process: what the demo shows is what a user would type.</summary>
internal static class ToolChild
{
    /// <summary>Starts it.</summary>
    /// <param name="arguments">Verb and options.</param>
    /// <param name="withInput">Whether the caller writes to its standard input; else it is empty.</param>
    public static Process Start(IEnumerable<string> arguments, bool withInput = false)
    {
        ProcessStartInfo start = new(SelfCommand.Prefix[0], SelfCommand.Prefix.Skip(1).Concat(arguments))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process process = Process.Start(start) ?? throw new InvalidOperationException("the tool did not start");
        if (!withInput)
        {
            process.StandardInput.Close();
        }

        return process;
    }

    /// <summary>Runs it to its end.</summary>
    /// <returns>Exit code and what it said, report first.</returns>
    public static (int ExitCode, string Said) Run(params string[] arguments)
    {
        using Process process = Start(arguments);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.GetAwaiter().GetResult());
    }
}
