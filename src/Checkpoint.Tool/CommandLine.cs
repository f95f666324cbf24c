using System.CommandLine;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Tool.Commands;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool;

/// <summary>The whole command line: parse, run the verb, turn every failure into a text and an exit code.</summary>
internal static class CommandLine
{
    private const string Name = "apollo-checkpoint";

    /// <summary>All verbs, in the order of the help. One is listed only when it really works.</summary>
    private static readonly (string Name, Func<ToolContext, Command> Create)[] Verbs =
    [
        ("sync", SyncCommand.Create),
        ("watch", WatchCommand.Create),
        ("serve", ServeCommand.Create),
        ("plan", PlanCommand.Create),
        ("handles", HandlesCommand.Create),
        ("fold", FoldCommand.Create),
        ("log", LogCommand.Create),
        ("restore", RestoreCommand.Create),
        ("prune", PruneCommand.Create),
        ("adopt", AdoptCommand.Create),
        ("verify", VerifyCommand.Create),
        ("doctor", DoctorCommand.Create),
        ("trigger", TriggerCommand.Create),
        ("offsite", OffsiteVerb.Create),
        ("run", RunCommand.Create),
        ("install", InstallCommand.Create),
        ("demo", DemoCommand.Create),
        ("demo-producer", DemoProducerCommand.Create),
    ];

    /// <summary>
    /// The whole command line, or, where the first word is a verb, that verb alone: describing all of them takes longer than a sync that
    /// finds nothing.
    /// </summary>
    public static Command Build(ToolContext context, string? firstWord = null)
    {
        // A plain command, not RootCommand: that one calls itself after the process, which is "dotnet" or a test host at times.
        Command root = new(Name, "Brings the live weights of a running vLLM back into the model's own safetensors files.")
        {
            new VersionOption(),
            HelpTail.Option(),
        };
        bool isVerb = Array.Exists(Verbs, verb => verb.Name == firstWord);
        foreach ((string name, Func<ToolContext, Command> create) in Verbs)
        {
            if (!isVerb || name == firstWord)
            {
                root.Subcommands.Add(create(context));
            }
        }

        return root;
    }

    /// <summary>Runs one command line.</summary>
    /// <returns>The exit code of the process.</returns>
    public static int Run(IReadOnlyList<string> arguments, ToolContext context)
    {
        ToolConsole console = context.Console;
        Command root = Build(context, arguments.Count > 0 ? arguments[0] : null);
        if (arguments is ["run", ..])
        {
            try
            {
                arguments = ConfigFile.Expand(arguments);
            }
            catch (CheckpointException failure)
            {
                ErrorText.Write(console.Error, failure, console.ColourError);
                return failure.ExitCode;
            }
        }

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
            return RefuseUsage(parse, console);
        }

        return Guard(console, () => parse.Invoke(configuration));
    }

    private static int RefuseUsage(ParseResult parse, ToolConsole console)
    {
        string verb = parse.CommandResult.Command.Name == Name ? "" : parse.CommandResult.Command.Name + " ";
        // A word that nobody knows explains every other complaint of the parser.
        string message =
            parse.UnmatchedTokens.Count > 0
                ? $"'{parse.UnmatchedTokens[0]}' is no {(verb.Length == 0 ? "verb" : "option or argument")} of {Name}{(verb.Length == 0 ? "" : " " + verb.TrimEnd())}"
                : parse.Errors[0].Message;
        ErrorText.WriteUsage(console.Error, message, $"{Name} {verb}--help", console.ColourError);
        return (int)ExitCode.Usage;
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
