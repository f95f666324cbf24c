using System.CommandLine;
using ApolloCheckpoint.Engine;
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
        SyncOptions options = new();
        options.AddTo(command);
        command.Options.Add(url);
        command.SetAction(parse =>
        {
            SyncRequest request = options.Read(parse);
            EngineService.RunAsync(request, parse.GetValue(url), context.Sync, context.Cancel).GetAwaiter().GetResult();
            return (int)ExitCode.Done;
        });
        return command;
    }
}
