using System.Net.Sockets;
using ApolloCheckpoint.Engine;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ApolloCheckpoint.Service;

/// <summary>
/// What every service of the pipeline has: a listener on the loopback (or a Unix socket) behind the <see cref="ServiceGuard"/>, failures
/// as problem details, <c>/health</c> (all checks) and <c>/alive</c>, telemetry, the log on standard error, and systemd told when it is up.
/// <code>
/// WebApplicationBuilder builder = ServiceHost.CreateBuilder(options);    // add services and health checks
/// WebApplication app = ServiceHost.Build(builder, options);              // map endpoints
/// await ServiceHost.RunAsync(app, options, cancel);                      // until cancelled
/// </code>
/// </summary>
public static class ServiceHost
{
    /// <summary>Longest time that open requests may delay the end: they are told to end, and only reads are cut off.</summary>
    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(5);

    /// <summary>A builder with all of it.</summary>
    /// <exception cref="CheckpointException">Usage: the address is not one of this machine.</exception>
    public static WebApplicationBuilder CreateBuilder(ServiceOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls([.. options.Address.Split(';').Select(ServiceAddress.Check)]);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder
            .Logging.AddFilter("Microsoft", LogLevel.Warning)
            .AddSimpleConsole(console => (console.SingleLine, console.TimestampFormat) = (true, "HH:mm:ss "))
            .Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console =>
                console.LogToStandardErrorThreshold = LogLevel.Trace
            );
        builder.Services.AddSystemd();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = LongestGoodbye);
        builder.Services.AddProblemDetails();
        builder.Services.AddHealthChecks().AddCheck("process", () => HealthCheckResult.Healthy(), ["live"]);
        Telemetry.AddTo(builder, options.Name);
        return builder;
    }

    /// <summary>The application: guard and errors first, then health; the caller maps the rest.</summary>
    public static WebApplication Build(WebApplicationBuilder builder, ServiceOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        WebApplication app = builder.Build();
        ServiceGuard guard = new(options.IsOpen ? null : ServiceToken.ReadOrCreate(options.TokenFile));
        app.UseStatusCodePages();
        app.Use(guard.InvokeAsync);
        app.Use(ServiceProblem.CatchAsync);
        app.MapHealthChecks("/health", new HealthCheckOptions { ResponseWriter = WriteHealth });
        app.MapHealthChecks("/alive", new HealthCheckOptions { Predicate = check => check.Tags.Contains("live") });
        return app;
    }

    /// <summary>Listens until cancelled.</summary>
    /// <exception cref="CheckpointException">ListenFailed: the address is taken.</exception>
    public static async Task RunAsync(WebApplication app, ServiceOptions options, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(options);
        ServiceAddress.RemoveStaleSockets(options.Address);
        try
        {
            await app.StartAsync(cancel);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new CheckpointException(
                CheckpointError.ListenFailed,
                $"cannot listen on {options.Address}: {e.Message}",
                "is it running already? Otherwise give another --url",
                e
            );
        }

        ServiceAddress.KeepSocketsPrivate(options.Address);
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task watchdog = SystemdWatchdog.RunAsync(() => true, over.Token);
        await app.WaitForShutdownAsync(cancel);
        await over.CancelAsync();
        await watchdog;
    }

    private static Task WriteHealth(HttpContext context, HealthReport report)
    {
        IEnumerable<string> reasons = report.Entries.Where(row => row.Value.Description is not null).Select(row => row.Value.Description!);
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(string.Join('\n', reasons.Prepend(report.Status.ToString().ToLowerInvariant())) + "\n");
    }
}
