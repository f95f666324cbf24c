using ApolloCheckpoint.Service;
using Microsoft.Extensions.DependencyInjection;

namespace ApolloCheckpoint.AppHost;

/// <summary>What the services of the pipeline have in common, as seen by the dashboard.</summary>
internal static class PipelineExtensions
{
    /// <summary>A parameter with a default, which configuration (Parameters:NAME) overrides.</summary>
    public static Parameter AddSetting(this IDistributedApplicationBuilder builder, string name, string value, string description) =>
        builder.AddParameter(name, () => builder.Configuration[$"Parameters:{name}"] ?? value).WithDescription(description);

    /// <summary>A service that listens, says whether it is healthy, shares the token, and is started again when it crashes.</summary>
    /// <param name="service">The service.</param>
    /// <param name="defaults">What is meant where nothing is configured.</param>
    /// <param name="icon">A Fluent icon.</param>
    /// <param name="port">Where it listens once deployed; here the orchestrator gives it a port.</param>
    public static Project AsService(this Project service, Defaults defaults, string icon, int port)
    {
        bool isDeployed = service.ApplicationBuilder.ExecutionContext.IsPublishMode;
        if (isDeployed)
        {
            // All parts work on one model directory, so on one machine.
            string address = $"http://127.0.0.1:{port}";
            service.WithEnvironment("ASPNETCORE_URLS", address);
        }

        return service
            .WithHttpEndpoint(name: "http", targetPort: isDeployed ? port : null)
            .WithHttpHealthCheck("/health")
            .WithUrlForEndpoint("http", url => url.DisplayText = "API")
            .WithEnvironment("APOLLO_STATE_DIR", defaults.StateFolder)
            .WithIconName(icon)
            .WithAnnotation(new ServiceAnnotation(defaults.TokenFile));
    }

    /// <summary>The link to the status page carries the token behind "#", so that its button works for whoever may see the dashboard.</summary>
    public static Project WithStatusPage(this Project engine, Defaults defaults) =>
        engine
            .WithUrlForEndpoint(
                "http",
                url =>
                {
                    url.DisplayText = "Status page";
                    url.Url = $"{url.Url.TrimEnd('/')}/#token={ServiceToken.ReadOrCreate(defaults.TokenFile).Text}";
                }
            )
            .WithUrls(context =>
                context.Urls.Add(
                    new ResourceUrlAnnotation { Url = $"{engine.GetEndpoint("http").Url}/openapi/v1.json", DisplayText = "OpenAPI" }
                )
            );

    /// <summary>A command of the dashboard: asks the service, follows the run to its end, and shows what came of it.</summary>
    public static Project WithRun(
        this Project service,
        string name,
        string displayName,
        string path,
        string icon,
        string description,
        bool isMain = false
    ) =>
        service.WithCommand(
            name,
            displayName,
            context => ServiceCommand.RunAsync(service.Resource, path, context.CancellationToken),
            new CommandOptions
            {
                Description = description,
                IconName = icon,
                IsHighlighted = isMain,
                UpdateState = state =>
                    state.ResourceSnapshot.State?.Text == KnownResourceStates.Running
                        ? ResourceCommandState.Enabled
                        : ResourceCommandState.Disabled,
            }
        );

    /// <summary>Makes the first copy as soon as there is a version to ship: nobody who watches a demo waits for the night.</summary>
    public static Project WithFirstCopy(this Project offsite, string modelDirectory) =>
        offsite.OnResourceReady(
            async (service, _, cancel) =>
            {
                string journal = Path.Combine(modelDirectory, ".apollo", "journal");
                while (!Directory.Exists(journal) || Directory.GetFiles(journal, "0*.delta").Length == 0)
                {
                    await Task.Delay(TimeSpan.FromSeconds(1), cancel);
                }

                await ServiceCommand.RunAsync(service, "/run?what=copy", cancel);
            }
        );

    /// <summary>The orchestrator leaves a process that ended as it is; a checkpoint that stops at night must not wait for the morning.</summary>
    public static void StartAgainWhatCrashed(this IDistributedApplicationBuilder builder) =>
        builder.Services.AddHostedService<StartAgain>();
}
