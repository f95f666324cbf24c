using System.CommandLine;
using ApolloCheckpoint.Service;
using ApolloCheckpoint.Tool.Serving;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>trigger</c>: asks a running engine service to sync, on a schedule.</summary>
internal static class TriggerCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new("trigger", "Ask a running engine (apollo-checkpoint serve) to sync, on a schedule.");
        ScheduleOptions when = new();
        when.AddTo(command);
        Option<string> engine = new("--engine")
        {
            Description = "Where the engine listens [default: ENGINE_HTTP, else http://127.0.0.1:5180]",
            HelpName = "URL",
        };
        Option<string?> url = new("--url")
        {
            Description = "Where the trigger listens: /status, /health, POST /pause, /resume [default: ASPNETCORE_URLS, else nowhere]",
            HelpName = "URL",
        };
        Option<string?> tokenFile = new("--token-file")
        {
            Description = "The secret of the services [default: APOLLO_TOKEN_FILE, else ~/.local/state/apollo-checkpoint/token]",
            HelpName = "PATH",
        };
        Option<bool> open = new("--open") { Description = "Let everybody on this machine pause it, without the token" };
        foreach (Option option in (Option[])[engine, url, tokenFile, open])
        {
            command.Options.Add(option);
        }

        command.SetAction(parse =>
        {
            string address = parse.GetValue(engine) ?? Environment.GetEnvironmentVariable("ENGINE_HTTP") ?? "http://127.0.0.1:5180";
            string? token = parse.GetValue(tokenFile);
            using HttpClient client = ServiceClient.Create(address, token);
            Trigger trigger = when.Trigger(parse, new EngineClient(client), context.Console);
            RunAsync(trigger, new ServiceOptions("trigger", "", parse.GetValue(url), token, parse.GetValue(open)), context)
                .GetAwaiter()
                .GetResult();
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static async Task RunAsync(Trigger trigger, ServiceOptions options, ToolContext context)
    {
        // With a listener, its host has the telemetry; without, this one.
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { Args = [] });
        builder.Configuration.AddEnvironmentVariables();
        if (options.Address.Length == 0)
        {
            Telemetry.AddTo(builder, options.Name);
        }

        using IHost host = builder.Build();
        await host.StartAsync(context.Cancel);
        try
        {
            await TriggerService.RunAsync(trigger, options, context.Cancel);
        }
        catch (OperationCanceledException) when (context.Cancel.IsCancellationRequested)
        {
            context.Console.Error.WriteLine("stopped");
        }

        await host.StopAsync(CancellationToken.None);
    }
}
