using System.CommandLine;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>fold</c>: brings the files up to the newest version, after finishing whatever an interrupted run left.</summary>
internal static class FoldCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new("fold", "Bring the files up to the newest version; before a load, or nightly with sync --fold K.");
        Option<string> modelDirectory = CommonOptions.ModelDirectory();
        Option<FoldWay> way = CommonOptions.Choice<FoldWay>(
            "--fold-way",
            "How a shard is brought up to date: in place, by a new file, or the cheaper of the two"
        );
        command.Options.Add(modelDirectory);
        command.Options.Add(way);
        command.SetAction(parse =>
        {
            FoldResult result = Progress.Show(
                context,
                progress => Execute(parse.GetRequiredValue(modelDirectory), parse.GetValue(way), progress, context.Cancel)
            );
            Write(context.Console, result);
            return (int)ExitCode.Done;
        });
        return command;
    }

    /// <summary>Folds.</summary>
    internal static FoldResult Execute(string modelDirectory, FoldWay way, IProgressSink progress, CancellationToken cancel)
    {
        ModelDirectory model = ModelDirectory.Open(Disk.Instance, modelDirectory);
        if (Disk.Instance.Stat(model.StatePath) is null)
        {
            return new FoldResult("No versions yet; nothing to do", 0, 0, new FoldReport(0, [], null), [], []);
        }

        JournalOptions options = new() { Codec = () => new ChunkCodec(), Progress = progress };
        using JournalSession session = JournalSession.Open(Disk.Instance, model, options, cancel);
        long before = session.FilesVersion;
        FoldReport report = Fold(session, way, cancel);
        string[] warnings = [.. session.Warnings, .. report.Warning is { } left ? [left] : Array.Empty<string>()];
        return new FoldResult(Headline(session, before, report), before, session.Newest, report, session.Recovered, warnings);
    }

    private static void Write(ToolConsole console, FoldResult result)
    {
        console.Out.WriteLine(result.Headline);
        Lines lines = new();
        foreach (string sentence in result.Recovered)
        {
            lines.Add("recovered", sentence);
        }

        foreach (FoldedShard shard in result.Report.Shards)
        {
            string how = shard.Way == FoldWay.Patch ? "written in place" : "written anew";
            lines.Add("shard", $"{shard.FileName}: {Quantity.Size(shard.WrittenBytes)} {how}");
        }

        foreach (string sentence in result.Warnings)
        {
            lines.Add("warning", sentence);
        }

        lines.WriteTo(console.Out, new Paint(console.ColourOut).Faint);
    }

    private static FoldReport Fold(JournalSession session, FoldWay way, CancellationToken cancel)
    {
        try
        {
            return session.Fold(way, cancel);
        }
        catch (OperationCanceledException e)
        {
            const string Next = "run it again; a sync, or any other command that writes, finishes it, too";
            throw new CheckpointException(CheckpointError.Cancelled, "the fold was stopped halfway", Next, e)
            {
                ModelState = $"version {session.Newest} is safe in the journal, the files may hold older bytes",
            };
        }
    }

    private static string Headline(JournalSession session, long before, FoldReport report) =>
        report.FilesVersion == session.Newest && report.Shards.Count == 0 ? $"The files hold version {session.Newest}; nothing to do"
        : report.FilesVersion == session.Newest
            ? $"The files were brought from version {before} to {report.FilesVersion}, {Quantity.Size(report.WrittenBytes)} written"
        : $"The files stay at version {report.FilesVersion} of {session.Newest}";
}
