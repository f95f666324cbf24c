using System.CommandLine;
using ApolloCheckpoint.Tool.Installing;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>install</c>: prints systemd units or crontab lines; writes nothing, so that an administrator reads them first.</summary>
internal static class InstallCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new("install", "Print systemd units, or crontab lines, that run the pipeline on this machine.");
        Option<bool> systemd = new("--systemd") { Description = "Units for engine, trigger and off-site job, hardened and watched" };
        Option<bool> cron = new("--cron") { Description = "Crontab lines: a sync every ten minutes, a copy every night" };
        Option<string> model = CommonOptions.ModelDirectory();
        Option<string> handles = CommonOptions.Handles();
        Option<string?> target = new("--target")
        {
            Description = "Where the nightly copy goes [default: moria:models/NAME]",
            HelpName = "TARGET",
        };
        Option<string> user = new("--user")
        {
            Description = "The user that runs them: the owner of the model and of the handles",
            HelpName = "USER",
            DefaultValueFactory = _ => Environment.UserName,
        };
        Option<string?> unit = new("--unit") { Description = "Only this one, for a script: engine, trigger or offsite", HelpName = "NAME" };
        foreach (Option option in (Option[])[systemd, cron, model, handles, target, user, unit])
        {
            command.Options.Add(option);
        }

        command.Validators.Add(result =>
        {
            if (result.GetValue(systemd) == result.GetValue(cron))
            {
                result.AddError("give either --systemd or --cron");
            }
        });
        command.SetAction(parse =>
        {
            InstallPlan plan = new(
                Path.GetFullPath(parse.GetRequiredValue(model)),
                parse.GetRequiredValue(handles),
                parse.GetValue(target),
                parse.GetRequiredValue(user),
                SelfCommand.Prefix
            );
            string text = parse.GetValue(cron) ? CrontabText.Of(plan) : UnitText.Of(plan, parse.GetValue(unit));
            context.Console.Out.Write(text);
            return (int)ExitCode.Done;
        });
        return command;
    }
}
