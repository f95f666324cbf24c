using System.CommandLine;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Rsync;
using ApolloCheckpoint.Service;
using ApolloCheckpoint.Tool.Rendering;
using ApolloCheckpoint.Tool.Serving;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary>
/// <c>run</c>: engine, trigger and off-site job in one process, for machines without Aspire, systemd or cron. The trigger asks the
/// engine over its own listener, so that page, health and history are the same as with <c>serve</c>. When one part ends, all do.
/// </summary>
internal static class RunCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new("run", "Run engine, trigger and nightly off-site copy in one process, until stopped.");
        SyncOptions sync = new();
        ScheduleOptions when = new();
        OffsiteSettings offsite = new();
        Option<string> at = new("--at")
        {
            Description = "Time of day of the nightly copy",
            HelpName = "HH:MM",
            DefaultValueFactory = _ => "03:30",
        };
        Option<bool> noOffsite = new("--no-offsite") { Description = "Make no copies off-site" };
        Option<string?> url = new("--url") { Description = "Where the engine listens [default: http://127.0.0.1:5180]", HelpName = "URL" };
        Option<string?> tokenFile = new("--token-file")
        {
            Description = "The secret of the services [default: APOLLO_TOKEN_FILE, else ~/.local/state/apollo-checkpoint/token]",
            HelpName = "PATH",
        };
        sync.AddTo(command);
        when.AddTo(command);
        offsite.AddTo(command);
        foreach (Option option in (Option[])[at, noOffsite, url, tokenFile, ConfigFile.Option()])
        {
            command.Options.Add(option);
        }

        command.SetAction(parse =>
        {
            ServiceOptions service = new("engine", "http://127.0.0.1:5180", parse.GetValue(url), parse.GetValue(tokenFile));
            using HttpClient client = ServiceClient.Create(service.Address, service.TokenFile);
            using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(context.Cancel);
            SyncRequest request = sync.Read(parse);
            Trigger trigger = when.Trigger(parse, new EngineClient(client), Prefixed(context.Console, "trigger "));
            OffsiteService? copies = parse.GetValue(noOffsite)
                ? null
                : Copies(offsite.Read(parse), parse.GetValue(at) ?? "", Prefixed(context.Console, "offsite "));
            Func<Task>[] parts =
            [
                () => EngineService.RunAsync(request, service, offsiteUrl: null, context with { Cancel = stop.Token }),
                () => TriggerAsync(trigger, client, stop.Token),
                .. copies is null ? Array.Empty<Func<Task>>() : [() => copies.RunAsync(stop.Token)],
            ];
            RunAsync(parts, stop, context).GetAwaiter().GetResult();
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static async Task RunAsync(Func<Task>[] parts, CancellationTokenSource stop, ToolContext context)
    {
        Task[] running = [.. parts.Select(part => Task.Run(part)), SystemdWatchdog.RunAsync(() => true, stop.Token)];
        // systemd's task ends at once where there is none; the parts end only when something is over.
        Task first = await Task.WhenAny(running[..^1]);
        await stop.CancelAsync();
        await Task.WhenAll(running).ContinueWith(_ => { }, TaskScheduler.Default);
        try
        {
            await first;
        }
        catch (OperationCanceledException) when (context.Cancel.IsCancellationRequested)
        {
            // How it is stopped is no failure.
        }

        context.Console.Error.WriteLine("stopped");
    }

    private static OffsiteService Copies(OffsiteOptions options, string at, ToolConsole console) =>
        new OffsiteCommand(console.Error.WriteLine, e => ErrorText.Write(console.Error, e, console.ColourError)).Service(
            new OffsiteJob(options, Disk.Instance, console.Time),
            at,
            shipDeltas: true
        );

    /// <summary>The first tick waits until the listener answers.</summary>
    private static async Task TriggerAsync(Trigger trigger, HttpClient engine, CancellationToken cancel)
    {
        while (!await IsUpAsync(engine, cancel))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), cancel);
        }

        await trigger.RunAsync(cancel);
    }

    private static async Task<bool> IsUpAsync(HttpClient engine, CancellationToken cancel)
    {
        try
        {
            using HttpResponseMessage answer = await engine.GetAsync("/alive", cancel);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>A console whose log lines say which part speaks.</summary>
    private static ToolConsole Prefixed(ToolConsole console, string prefix) =>
        console with
        {
            Error = new PrefixedWriter(console.Error, prefix),
        };
}
