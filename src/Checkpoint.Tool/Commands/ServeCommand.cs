using System.CommandLine;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Service;
using ApolloCheckpoint.Tool.Serving;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>serve</c>: the engine as a service on loopback.</summary>
internal static class ServeCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new("serve", "Run the engine as a service on loopback: POST /sync, /status, /health, a status page at /.");
        Option<string?> url = new("--url")
        {
            Description = "Where to listen [default: ASPNETCORE_URLS, else http://127.0.0.1:5180]",
            HelpName = "URL",
        };
        Option<string?> tokenFile = new("--token-file")
        {
            Description =
                "The secret that a request which changes something shows; made at the first start [default: APOLLO_TOKEN_FILE, else ~/.local/state/apollo-checkpoint/token]",
            HelpName = "PATH",
        };
        Option<bool> open = new("--open") { Description = "Let everybody on this machine start a sync, without the token" };
        Option<string?> offsite = new("--offsite")
        {
            Description = "The off-site service to tell of new versions [default: OFFSITE_HTTP, else none]",
            HelpName = "URL",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable("OFFSITE_HTTP"),
        };
        SyncOptions options = new();
        options.AddTo(command);
        command.Options.Add(url);
        command.Options.Add(tokenFile);
        command.Options.Add(open);
        command.Options.Add(offsite);
        command.SetAction(parse =>
        {
            SyncRequest request = options.Read(parse);
            ServiceOptions service = new(
                "engine",
                EngineService.DefaultUrl,
                parse.GetValue(url),
                parse.GetValue(tokenFile),
                parse.GetValue(open)
            );
            EngineService.RunAsync(request, service, parse.GetValue(offsite), context).GetAwaiter().GetResult();
            return (int)ExitCode.Done;
        });
        return command;
    }
}
