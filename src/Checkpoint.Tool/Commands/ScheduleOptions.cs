using System.CommandLine;
using ApolloCheckpoint.Tool.Serving;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary>When a trigger asks: what <c>trigger</c> and <c>run</c> share.</summary>
internal sealed class ScheduleOptions
{
    private readonly Option<TimeSpan?> every = CommonOptions.Duration("--every", "At once, and then each so often [default: 10m]");
    private readonly Option<string?> cron = new("--cron") { Description = "When a cron line says, local time", HelpName = "LINE" };
    private readonly Option<TimeSpan?> jitter = CommonOptions.Duration(
        "--jitter",
        "Begin up to so much after the time that is due [default: a twentieth of the period, at most 30s]"
    );

    /// <summary>Adds them to a verb.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(every);
        command.Options.Add(cron);
        command.Options.Add(jitter);
        command.Validators.Add(result =>
        {
            if (result.GetResult(every) is not null && result.GetResult(cron) is not null)
            {
                result.AddError("--every and --cron exclude each other");
            }
        });
    }

    /// <summary>The schedule that was typed.</summary>
    /// <exception cref="Engine.CheckpointException">Usage: not a cron line.</exception>
    public Schedule Read(ParseResult parse, TimeProvider time) =>
        parse.GetValue(cron) is { } line
            ? Schedule.Cron(line, time.LocalTimeZone)
            : Schedule.Every(parse.GetValue(every) ?? TimeSpan.FromMinutes(10));

    /// <summary>A trigger with the schedule that was typed.</summary>
    public Trigger Trigger(ParseResult parse, IEngineCall engine, ToolConsole console)
    {
        Schedule schedule = Read(parse, console.Time);
        TimeSpan twentieth = schedule.Period(console.Time.GetUtcNow()) / 20;
        TimeSpan usual = twentieth < TimeSpan.FromSeconds(30) ? twentieth : TimeSpan.FromSeconds(30);
        return new Trigger(engine, schedule, parse.GetValue(jitter) ?? usual, console);
    }
}
