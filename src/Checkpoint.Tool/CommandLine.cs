using System.CommandLine;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Tool.Commands;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool;

/// <summary>The whole command line: parse, run the verb, turn every failure into a text and an exit code.</summary>
internal static class CommandLine
{
    /// <summary>All verbs. One is listed only when it really works.</summary>
    public static RootCommand Build(ToolContext context)
    {
        RootCommand root = new("Brings the live weights of a running vLLM back into the model's own safetensors files.");
        root.Subcommands.Add(SyncCommand.Create(context));
        HelpTail.AddTo(root);
        return root;
    }

    /// <summary>Runs one command line.</summary>
    /// <returns>The exit code of the process.</returns>
    public static int Run(IReadOnlyList<string> arguments, ToolContext context)
    {
        ToolConsole console = context.Console;
        RootCommand root = Build(context);
        ParseResult parse = root.Parse(arguments);
        InvocationConfiguration configuration = new()
        {
            Output = console.Out,
            Error = console.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        if (arguments.Count == 0)
        {
            configuration.Output = console.Error;
            root.Parse(["--help"]).Invoke(configuration);
            return (int)ExitCode.Usage;
        }

        if (parse.Errors.Count > 0 && parse.Action is not HelpTail)
        {
            string verb = parse.CommandResult.Command is RootCommand ? "" : parse.CommandResult.Command.Name + " ";
            ErrorText.WriteUsage(console.Error, parse.Errors[0].Message, $"apollo-checkpoint {verb}--help", console.ColourError);
            return (int)ExitCode.Usage;
        }

        return Guard(console, () => parse.Invoke(configuration));
    }

    /// <summary>Runs something that may fail, and gives the failure its text and its exit code.</summary>
    internal static int Guard(ToolConsole console, Func<int> action)
    {
        try
        {
            return action();
        }
        catch (CheckpointException failure)
        {
            ErrorText.Write(console.Error, failure, console.ColourError);
            return failure.ExitCode;
        }
        catch (OperationCanceledException)
        {
            console.Error.WriteLine("cancelled");
            return (int)ExitCode.Cancelled;
        }
#pragma warning disable CA1031 // The last resort of the process: whatever it is, it gets a text and an exit code.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            ErrorText.WriteUnexpected(console.Error, failure, console.ColourError);
            return (int)ExitCode.Unexpected;
        }
    }
}
