using System.CommandLine;
using System.Globalization;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary>
/// <c>watch</c>: syncs on a schedule in the foreground, one after the other and so never two at once. A sync that fails is shown, and
/// the next one tries again.
/// </summary>
internal static class WatchCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new("watch", "Sync on a schedule in the foreground, until stopped: the old program's cron line, built in.");
        Option<TimeSpan?> every = CommonOptions.Duration("--every", "Sync at once, and then each so often");
        Option<string?> cron = new("--cron")
        {
            Description = $"Sync when a cron line says, local time [default: {Schedule.DefaultCron}]",
            HelpName = "LINE",
        };
        Option<bool> json = new("--json") { Description = "Each report as one line of JSON" };
        command.Options.Add(every);
        command.Options.Add(cron);
        SyncOptions options = new();
        options.AddTo(command);
        command.Options.Add(json);
        command.Validators.Add(result =>
        {
            if (result.GetResult(every) is not null && result.GetResult(cron) is not null)
            {
                result.AddError("--every and --cron exclude each other");
            }
        });
        command.SetAction(parse =>
        {
            Schedule schedule = parse.GetValue(every) is { } time
                ? Schedule.Every(time)
                : Schedule.Cron(parse.GetValue(cron) ?? Schedule.DefaultCron, context.Console.Time.LocalTimeZone);
            return Run(context, schedule, options.Read(parse), parse.GetValue(json));
        });
        return command;
    }

    private static int Run(ToolContext context, Schedule schedule, SyncRequest request, bool json)
    {
        ToolConsole console = context.Console;
        console.Error.WriteLine($"watching {request.ModelDirectory}, {schedule.Text}; Ctrl-C ends it");
        DateTimeOffset due = console.Time.GetUtcNow();
        bool atOnce = schedule.BeginsAtOnce;
        while (true)
        {
            if (!atOnce)
            {
                if (schedule.Next(due, console.Time.GetUtcNow()) is not { } next)
                {
                    console.Error.WriteLine($"{schedule.Text} names no further time");
                    return (int)ExitCode.Done;
                }

                due = next;
            }

            atOnce = false;
            if (!WaitUntil(console.Time, due, context.Cancel))
            {
                console.Error.WriteLine("stopped; no sync was running");
                return (int)ExitCode.Done;
            }

            int code = CommandLine.Guard(console, () => SyncOnce(context, request, json));
            if (context.Cancel.IsCancellationRequested)
            {
                return code == (int)ExitCode.Done ? code : (int)ExitCode.Cancelled;
            }
        }
    }

    private static int SyncOnce(ToolContext context, SyncRequest request, bool json)
    {
        ToolConsole console = context.Console;
        SyncReport report = SyncCommand.RunShowingProgress(context, request);
        if (json)
        {
            SyncReportJson.Write(console.Out, report, indented: false);
        }
        else
        {
            string now = console.Time.GetLocalNow().ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
            console.Out.Write(new Paint(console.ColourOut).Faint(now) + "  ");
            SyncReportText.Write(console.Out, report, console.ColourOut);
        }

        console.Out.Flush();
        return (int)ExitCode.Done;
    }

    /// <returns>False when cancelled.</returns>
    private static bool WaitUntil(TimeProvider time, DateTimeOffset due, CancellationToken cancel)
    {
        // A timer may not be longer than this, and the clock may be set meanwhile.
        TimeSpan longest = TimeSpan.FromMinutes(1);
        while (!cancel.IsCancellationRequested)
        {
            TimeSpan left = due - time.GetUtcNow();
            if (left <= TimeSpan.Zero)
            {
                return true;
            }

            using ManualResetEventSlim over = new();
            using ITimer timer = time.CreateTimer(_ => over.Set(), null, left < longest ? left : longest, Timeout.InfiniteTimeSpan);
            WaitHandle.WaitAny([over.WaitHandle, cancel.WaitHandle]);
        }

        return false;
    }
}
