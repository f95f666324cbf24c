using System.CommandLine;
using System.Globalization;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Rsync;

/// <summary>The command <c>offsite</c>: of the program of its own, and a verb of apollo-checkpoint.</summary>
public static class OffsiteCommand
{
    /// <summary>Adds options and action to a command.</summary>
    /// <param name="command">The root command of this program, or the verb.</param>
    public static void Configure(Command command)
    {
        Option<string> model = new("--model-dir")
        {
            Description = "The model directory.",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable("APOLLO_MODEL_DIR") ?? "",
        };
        Option<string?> target = new("--target") { Description = "HOST:PATH or an absolute path. [default: moria:models/NAME]" };
        Option<string> at = new("--at") { Description = "Time of day of the nightly run.", DefaultValueFactory = _ => "03:30" };
        Option<bool> once = new("--once") { Description = "Run now, once, and end (for cron)." };
        Option<int> keep = new("--keep") { Description = "Snapshots kept on the far side.", DefaultValueFactory = _ => 14 };
        Option<int> limit = new("--bwlimit") { Description = "Most KiB a second; 0 for no limit." };
        command.Add(model);
        command.Add(target);
        command.Add(at);
        command.Add(once);
        command.Add(keep);
        command.Add(limit);
        command.SetAction(
            async (parsed, cancel) =>
            {
                OffsiteOptions options = Options(
                    parsed.GetValue(model) ?? "",
                    parsed.GetValue(target),
                    parsed.GetValue(keep),
                    parsed.GetValue(limit)
                );
                OffsiteJob job = new(options, Disk.Instance, TimeProvider.System);
                if (parsed.GetValue(once))
                {
                    Print(await job.RunAsync(cancel));
                    return 0;
                }

                if (
                    !TimeOnly.TryParseExact(
                        parsed.GetValue(at),
                        "HH:mm",
                        CultureInfo.InvariantCulture,
                        DateTimeStyles.None,
                        out TimeOnly time
                    )
                )
                {
                    throw new CheckpointException(
                        CheckpointError.Usage,
                        $"--at {parsed.GetValue(at)} is not a time of day",
                        "write it as 03:30"
                    );
                }

                return await ServeAsync(job, time, cancel);
            }
        );
    }

    private static async Task<int> ServeAsync(OffsiteJob job, TimeOnly at, CancellationToken cancel)
    {
        while (true)
        {
            TimeSpan wait = DailySchedule.UntilNext(at, TimeProvider.System);
            Console.Error.WriteLine($"next off-site copy {DateTime.Now + wait:yyyy-MM-dd HH:mm}");
            await Task.Delay(wait, cancel);
            try
            {
                Print(await job.RunAsync(cancel));
            }
            catch (CheckpointException e)
            {
                // A night that failed must not end the service: the next one continues what arrived.
                Console.Error.WriteLine(Describe(e));
            }
        }
    }

    private static OffsiteOptions Options(string model, string? target, int keep, int limit)
    {
        if (model.Length == 0)
        {
            throw new CheckpointException(CheckpointError.Usage, "--model-dir is missing", "give --model-dir DIR or set APOLLO_MODEL_DIR");
        }

        if (keep < 1 || limit < 0)
        {
            throw new CheckpointException(CheckpointError.Usage, "--keep is at least 1 and --bwlimit at least 0", null);
        }

        string problem = "";
        RsyncTarget? parsed = string.IsNullOrEmpty(target) ? RsyncTarget.Default(model) : RsyncTarget.TryParse(target, out problem);
        return parsed is null
            ? throw new CheckpointException(CheckpointError.Usage, $"--target: {problem}", "for example --target moria:models/NAME")
            : new OffsiteOptions(Path.GetFullPath(model), parsed) { Keep = keep, BandwidthKiB = limit };
    }

    /// <summary>An error as the command line shows it.</summary>
    public static string Describe(CheckpointException error) =>
        string.Join(
            '\n',
            new[] { $"error {error.ExitCode}: {error.Message}" }
                .Concat(error.ModelState is null ? [] : [$"  model    {error.ModelState}"])
                .Concat(error.Details.Select(line => $"  {line.Label, -8} {line.Text}"))
                .Concat(error.Next is null ? [] : [$"  next     {error.Next}"])
        );

    private static void Print(OffsiteReport report) =>
        Console.Out.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"shipped to {report.Target}, snapshot {report.Snapshot} · {report.SentBytes / 1e6:0.0} MB sent of {report.ModelBytes / 1e6:0.0} MB · {report.Elapsed.TotalSeconds:0.0} s"
            )
        );
}
