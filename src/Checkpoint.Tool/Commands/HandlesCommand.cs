using System.CommandLine;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>handles FILE</c>: what a handles file or torch archive says. Opens no memory, executes nothing.</summary>
internal static class HandlesCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new("handles", "Show what a handles file or torch archive says; nothing in it is opened or executed.");
        Argument<string> file = new("FILE") { Description = "A handles directory, one rank's JSON, or a .pt file" };
        Option<string?> owner = new("--handles-owner")
        {
            Description = "One more user, name or number, who may own the handles",
            HelpName = "USER",
        };
        Option<bool> digest = new("--digest") { Description = "Read the tensors of archives and files, and show the SHA-256 of each" };
        Option<bool> json = CommonOptions.Json();
        command.Arguments.Add(file);
        foreach (Option option in (Option[])[owner, digest, json])
        {
            command.Options.Add(option);
        }

        command.SetAction(parse =>
        {
            HandlesDescription handles = HandlesDescription.Describe(
                parse.GetRequiredValue(file),
                parse.GetValue(owner),
                parse.GetValue(digest),
                context.Cancel
            );
            if (parse.GetValue(json))
            {
                context.Console.Out.WriteLine(handles.ToJson());
            }
            else
            {
                HandlesText.Write(context.Console.Out, handles, context.Console.ColourOut);
            }

            return (int)ExitCode.Done;
        });
        return command;
    }
}
