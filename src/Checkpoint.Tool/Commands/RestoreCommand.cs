using System.CommandLine;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>restore</c>: an older version, to another folder or in place as a new version; or damaged bytes from a mirror.</summary>
internal static class RestoreCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new("restore", "Bring back an older version: to a folder, or in place as a new version.");
        Option<string> modelDirectory = CommonOptions.ModelDirectory();
        Option<long?> to = new("--to") { Description = "The version that is wanted [default: the newest]", HelpName = "VERSION" };
        Option<string?> output = new("--output")
        {
            Description = "Make a complete model directory there, and leave this one as it is",
            HelpName = "DIR",
        };
        Option<string?> from = new("--from") { Description = "Take damaged bytes from this copy of the model", HelpName = "DIR" };
        Option<FoldWay> way = CommonOptions.Choice<FoldWay>("--fold-way", "In place: how a shard is brought to the version");
        Option<bool> json = CommonOptions.Json();
        foreach (Option option in (Option[])[modelDirectory, to, output, from, way, json])
        {
            command.Options.Add(option);
        }

        command.Validators.Add(result =>
        {
            // Without any of them it would make a new version that is the newest one.
            if (result.GetResult(to) is null && result.GetResult(output) is null && result.GetResult(from) is null)
            {
                result.AddError("restore needs --to VERSION, --output DIR or --from DIR");
            }
        });
        command.SetAction(parse =>
        {
            string model = parse.GetRequiredValue(modelDirectory);
            RestoreReport report = Progress.Show(
                context,
                progress =>
                    parse.GetValue(output) is { } folder
                        ? new HistoryEngine(model, progress).RestoreCopy(parse.GetValue(to), folder, parse.GetValue(from), context.Cancel)
                        : new HistoryEngine(model, progress).Restore(
                            parse.GetValue(to),
                            parse.GetValue(from),
                            parse.GetValue(way),
                            context.Cancel
                        )
            );
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
