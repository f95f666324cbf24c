using System.CommandLine;
using System.Globalization;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Service;

namespace ApolloCheckpoint.Rsync;

/// <summary>The command <c>offsite</c>: of the program of its own, and a verb of apollo-checkpoint.</summary>
public sealed class OffsiteCommand
{
    private readonly Option<string> at = new("--at")
    {
        Description = "Time of day of the nightly copy",
        HelpName = "HH:MM",
        DefaultValueFactory = _ => "03:30",
    };

    private readonly Option<bool> once = new("--once") { Description = "Make a copy now, once, and end (for cron)" };
    private readonly Option<bool> deltas = new("--deltas")
    {
        Description = "Ship the deltas that the newest copy lacks, and end; with --at: also as they are committed",
    };

    private readonly Option<bool> drill = new("--drill")
    {
        Description = "Fetch a random part of the newest copy back, compare it with what was recorded, and end",
    };

    private readonly Option<string?> url = new("--url")
    {
        Description = "Where the service listens: POST /run, /status, /health [default: ASPNETCORE_URLS, else nowhere]",
        HelpName = "URL",
    };

    private readonly Option<string?> tokenFile = new("--token-file")
    {
        Description = "The secret that POST /run shows [default: APOLLO_TOKEN_FILE, else ~/.local/state/apollo-checkpoint/token]",
        HelpName = "PATH",
    };

    private readonly Option<bool> open = new("--open") { Description = "Let everybody on this machine ask for a run, without the token" };
    private readonly OffsiteSettings settings = new();
    private readonly Action<string> say;
    private readonly Action<CheckpointException> complain;
    private readonly CancellationToken stop;

    /// <summary>A command.</summary>
    /// <param name="say">Told what a run of the service did, and when the next one is due.</param>
    /// <param name="complain">Told what went wrong in a run that does not end the service.</param>
    /// <param name="stop">Ends a run cleanly; besides the parser's own signal handling, where that is on.</param>
    public OffsiteCommand(Action<string> say, Action<CheckpointException> complain, CancellationToken stop = default) =>
        (this.say, this.complain, this.stop) = (say, complain, stop);

    /// <summary>Adds options and action to a command.</summary>
    /// <param name="command">The root command of this program, or the verb.</param>
    public void Configure(Command command)
    {
        settings.AddTo(command);
        foreach (Option option in (Option[])[at, once, deltas, drill, url, tokenFile, open])
        {
            command.Options.Add(option);
        }

        command.SetAction(
            async (parsed, signalled) =>
            {
                using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(signalled, stop);
                CancellationToken cancel = either.Token;
                OffsiteJob job = new(settings.Read(parsed), Disk.Instance, TimeProvider.System);
                bool isService = parsed.GetResult(at) is { Implicit: false };
                if (new[] { parsed.GetValue(once), parsed.GetValue(drill), isService }.Count(chosen => chosen) > 1)
                {
                    throw new CheckpointException(CheckpointError.Usage, "--once, --drill and --at exclude each other", "give one of them");
                }

                if (parsed.GetValue(drill))
                {
                    parsed.InvocationConfiguration.Output.WriteLine(OffsiteText.Of(await job.DrillAsync(cancel)));
                }
                else if (parsed.GetValue(once))
                {
                    parsed.InvocationConfiguration.Output.WriteLine(OffsiteText.Of(await job.RunAsync(cancel)));
                }
                else if (parsed.GetValue(deltas) && !isService)
                {
                    parsed.InvocationConfiguration.Output.WriteLine(OffsiteText.Of(await job.ShipDeltasAsync(cancel)));
                }
                else
                {
                    OffsiteService service = Service(job, parsed.GetValue(at) ?? "", parsed.GetValue(deltas));
                    ServiceOptions listener = new("offsite", "", parsed.GetValue(url), parsed.GetValue(tokenFile), parsed.GetValue(open));
                    await ServeAsync(service, listener, cancel);
                }

                return 0;
            }
        );
    }

    /// <summary>The service until it is stopped, with a listener where an address is given.</summary>
    private async Task ServeAsync(OffsiteService service, ServiceOptions listener, CancellationToken cancel)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task watchdog = SystemdWatchdog.RunAsync(() => true, over.Token);
        try
        {
            await (listener.Address.Length == 0 ? service.RunAsync(cancel) : OffsiteEndpoints.RunAsync(service, listener, cancel));
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // How a service ends is no failure.
        }
        finally
        {
            await over.CancelAsync();
            await watchdog;
        }

        say("stopped; what arrived is kept and continued by the next copy");
    }

    /// <summary>The service of a job, its words said.</summary>
    /// <exception cref="CheckpointException">Usage: not a time of day.</exception>
    public OffsiteService Service(OffsiteJob job, string timeOfDay, bool shipDeltas)
    {
        if (!TimeOnly.TryParseExact(timeOfDay, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out TimeOnly night))
        {
            throw new CheckpointException(CheckpointError.Usage, $"--at {timeOfDay} is not a time of day", "write it as 03:30");
        }

        OffsiteService service = new(job, night, shipDeltas ? TimeSpan.FromSeconds(15) : null, Disk.Instance, TimeProvider.System);
        service.Said += say;
        service.Failed += complain;
        return service;
    }
}
