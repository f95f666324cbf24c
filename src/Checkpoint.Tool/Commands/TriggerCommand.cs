using System.CommandLine;
using ApolloCheckpoint.Engine;
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
        Option<TimeSpan?> every = CommonOptions.Duration("--every", "At once, and then each so often [default: 10m]");
        Option<string?> cron = new("--cron") { Description = "When a cron line says, local time", HelpName = "LINE" };
        Option<string> engine = new("--engine")
        {
            Description = "Where the engine listens, if ENGINE_HTTP does not say it",
            HelpName = "URL",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ENGINE_HTTP") ?? "http://127.0.0.1:5180",
        };
        command.Options.Add(every);
        command.Options.Add(cron);
        command.Options.Add(engine);
        command.SetAction(parse =>
        {
            if (!Uri.TryCreate(parse.GetValue(engine), UriKind.Absolute, out Uri? address) || address.Scheme is not ("http" or "https"))
            {
                throw new CheckpointException(
                    CheckpointError.Usage,
                    $"--engine {parse.GetValue(engine)} is no http address",
                    "for example http://127.0.0.1:5180"
                );
            }

            Schedule schedule = parse.GetValue(cron) is { } line
                ? Schedule.Cron(line, context.Console.Time.LocalTimeZone)
                : Schedule.Every(parse.GetValue(every) ?? TimeSpan.FromMinutes(10));
            RunAsync(address, schedule, context).GetAwaiter().GetResult();
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static async Task RunAsync(Uri engine, Schedule schedule, ToolContext context)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { Args = [] });
        builder.Configuration.AddEnvironmentVariables();
        Telemetry.AddTo(builder, "trigger");
        using IHost host = builder.Build();
        await host.StartAsync(context.Cancel);
        using HttpClient client = ServiceClient.Create(engine.OriginalString);
        try
        {
            await new Trigger(client, schedule, context.Console).RunAsync(context.Cancel);
        }
        catch (OperationCanceledException) when (context.Cancel.IsCancellationRequested)
        {
            context.Console.Error.WriteLine("stopped");
        }

        await host.StopAsync(CancellationToken.None);
    }
}
