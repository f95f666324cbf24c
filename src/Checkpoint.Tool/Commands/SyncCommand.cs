using System.CommandLine;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>sync</c>: brings the live weights into the model files, once.</summary>
internal static class SyncCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new("sync", "Bring the live weights into the model files, once; only what changed is written.");
        SyncOptions options = new();
        options.AddTo(command);
        Option<OutputFormat> output = CommonOptions.Choice<OutputFormat>(
            "--output",
            "How the report is written; classic: the lines of the old program"
        );
        Option<bool> json = CommonOptions.Json();
        command.Options.Add(output);
        command.Options.Add(json);
        command.SetAction(parse => Run(context, options.Read(parse), parse.GetValue(json) ? OutputFormat.Json : parse.GetValue(output)));
        return command;
    }

    private static int Run(ToolContext context, SyncRequest request, OutputFormat format)
    {
        ToolConsole console = context.Console;
        if (format == OutputFormat.Classic && Path.Exists(request.Handles))
        {
            ClassicReport.Begin(console);
        }

        SyncReport report = RunShowingProgress(context, request);
        switch (format)
        {
            case OutputFormat.Json:
                SyncReportJson.Write(console.Out, report);
                break;
            case OutputFormat.Classic:
                ClassicReport.Write(console, report);
                break;
            default:
                SyncReportText.Write(console.Out, report, console.ColourOut);
                break;
        }

        return (int)ExitCode.Done;
    }

    /// <summary>One sync with its progress drawn where there is a terminal; a cancelled one says what became of the model.</summary>
    internal static SyncReport RunShowingProgress(ToolContext context, SyncRequest request) =>
        Progress.Show(context, progress => context.Sync(request, progress, context.Cancel));
}
