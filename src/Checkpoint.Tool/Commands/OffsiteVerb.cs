using System.CommandLine;
using ApolloCheckpoint.Rsync;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>offsite</c>: the off-site job behind a verb, so that installing the tool brings the nightly backup.</summary>
internal static class OffsiteVerb
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        ToolConsole console = context.Console;
        Command command = new("offsite", "Ship the model directory to another host with rsync, nightly or once, from a consistent state.");
        new OffsiteCommand(console.Error.WriteLine, e => ErrorText.Write(console.Error, e, console.ColourError), context.Cancel).Configure(
            command
        );
        return command;
    }
}
