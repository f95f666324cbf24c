using System.CommandLine;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>prune</c>: takes old versions away, whole and from the old end; the files are not concerned.</summary>
internal static class PruneCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new("prune", "Take old versions away; what the files still need, and the newest ones, stay.");
        Option<string> modelDirectory = CommonOptions.ModelDirectory();
        Option<int?> last = new("--keep-last") { Description = "Keep at least the newest N versions", HelpName = "N" };
        last.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[0].Value, out int value) || value < 1))
            {
                result.AddError("--keep-last must be a whole number of at least 1");
            }
        });
        Option<TimeSpan?> within = CommonOptions.Duration("--keep-within", "Keep every version that is younger, for example 7d");
        Option<bool> json = CommonOptions.Json();
        foreach (Option option in (Option[])[modelDirectory, last, within, json])
        {
            command.Options.Add(option);
        }

        command.Validators.Add(result =>
        {
            if (result.GetResult(last) is null && result.GetResult(within) is null)
            {
                result.AddError("prune needs --keep-last N or --keep-within TIME: nothing is taken away by default");
            }
        });
        command.SetAction(parse =>
        {
            HistoryEngine history = new(parse.GetRequiredValue(modelDirectory));
            PruneReport report = history.Prune(parse.GetValue(last), parse.GetValue(within), context.Cancel);
            if (parse.GetValue(json))
            {
                HistoryJson.Write(context.Console.Out, report);
            }
            else
            {
                HistoryText.Write(context.Console.Out, report);
            }

            return (int)ExitCode.Done;
        });
        return command;
    }
}
