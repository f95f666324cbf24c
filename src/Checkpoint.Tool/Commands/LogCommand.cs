using System.CommandLine;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>log</c>: the versions of a model. Only delta headers are read, no lock is taken, nothing is written.</summary>
internal static class LogCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new("log", "List the versions of the model, newest first.");
        Option<string> modelDirectory = CommonOptions.ModelDirectory();
        Option<int> last = CommonOptions.Number("--last", "N", "How many to list", 30);
        Option<bool> json = CommonOptions.Json();
        foreach (Option option in (Option[])[modelDirectory, last, json])
        {
            command.Options.Add(option);
        }

        command.SetAction(parse =>
        {
            ToolConsole console = context.Console;
            List<VersionRow> rows = Read(ModelDirectory.Open(Disk.Instance, parse.GetRequiredValue(modelDirectory)));
            List<VersionRow> shown = [.. rows.Take(parse.GetValue(last))];
            if (parse.GetValue(json))
            {
                LogJson.Write(console.Out, shown, rows.Count - shown.Count);
            }
            else
            {
                TimeProvider time = console.Time;
                LogText.Write(console.Out, shown, rows.Count - shown.Count, time.GetUtcNow(), time.LocalTimeZone, console.ColourOut);
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    private static List<VersionRow> Read(ModelDirectory model)
    {
        StatePaths paths = new(model.Path);
        ModelState? state = ModelState.TryRead(Disk.Instance, paths.State);
        Journal journal = Journal.Open(Disk.Instance, paths, model.Layout, state?.Oldest ?? 0);
        return [.. journal.Versions.Reverse().Select(header => Row(header, paths, state))];
    }

    private static VersionRow Row(DeltaHeader header, StatePaths paths, ModelState? state) =>
        new(
            header.Version,
            DateTimeOffset.UnixEpoch.AddTicks(header.TimeNs / 100),
            header.Step,
            header.Label,
            header.ChangedUnits,
            header.ComparedUnits,
            Disk.Instance.Stat(paths.Delta(header.Version))?.Length,
            header.Version == state?.FilesVersion
        );
}
