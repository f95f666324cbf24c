using System.CommandLine;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Verification;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>verify</c>: files and journal against the recorded digests; with <c>--live</c> the newest version against the producer.</summary>
internal static class VerifyCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new(
            "verify",
            "Read files and journal, and compare them with the recorded digests; exits with 16 when they differ."
        );
        SourceOptions options = new();
        options.AddTo(command);
        Option<bool> live = new("--live") { Description = "Compare with the producer, too; exits with 16 when it is ahead" };
        Option<bool> json = CommonOptions.Json();
        command.Options.Add(live);
        command.Options.Add(json);
        command.SetAction(parse =>
        {
            SyncRequest request = options.Read(parse);
            VerifyReport report = Progress.Show(
                context,
                progress => new HistoryEngine(request.ModelDirectory, progress).Verify(context.Cancel)
            );
            SyncReport? ahead =
                parse.GetValue(live) && report.Damage.Count == 0
                    ? SyncCommand.RunShowingProgress(context, request with { DryRun = true })
                    : null;
            if (parse.GetValue(json))
            {
                HistoryJson.Write(context.Console.Out, report, ahead);
            }
            else
            {
                HistoryText.Write(context.Console.Out, report, ahead, context.Console.ColourOut);
            }

            report.RequireGood(request.ModelDirectory);
            return (int)(ahead is { ChangedElements: > 0 } ? ExitCode.VerificationFailed : ExitCode.Done);
        });
        return command;
    }
}
