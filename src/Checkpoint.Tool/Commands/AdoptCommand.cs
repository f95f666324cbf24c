using System.CommandLine;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>adopt</c>: the files were changed on purpose by something else; a new history begins with them.</summary>
internal static class AdoptCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new("adopt", "Begin a new history from the files as they are; the old journal is moved aside, never deleted.");
        Option<string> modelDirectory = CommonOptions.ModelDirectory();
        Option<bool> json = CommonOptions.Json();
        command.Options.Add(modelDirectory);
        command.Options.Add(json);
        command.SetAction(parse =>
        {
            string model = parse.GetRequiredValue(modelDirectory);
            AdoptReport report = Progress.Show(context, progress => new HistoryEngine(model, progress).Adopt(context.Cancel));
            if (parse.GetValue(json))
            {
                HistoryJson.Write(context.Console.Out, report);
            }
            else
            {
                HistoryText.Write(context.Console.Out, report, context.Console.ColourOut);
            }

            return (int)ExitCode.Done;
        });
        return command;
    }
}
