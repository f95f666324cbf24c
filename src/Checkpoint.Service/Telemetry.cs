using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace ApolloCheckpoint.Service;

/// <summary>Sends traces, metrics and logs over OTLP, where OTEL_EXPORTER_OTLP_ENDPOINT says that somebody listens.</summary>
public static class Telemetry
{
    /// <summary>All sources and meters of this program begin with this.</summary>
    public const string Prefix = "ApolloCheckpoint.*";

    /// <summary>Adds it to a service.</summary>
    /// <param name="builder">The service.</param>
    /// <param name="service">Its name, unless OTEL_SERVICE_NAME gives another.</param>
    public static void AddTo(IHostApplicationBuilder builder, string service)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            return;
        }

        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        builder
            .Services.AddOpenTelemetry()
            // OTEL_SERVICE_NAME wins; this is the name without an orchestrator.
            .ConfigureResource(resource => resource.AddService(service, "apollo-checkpoint").AddEnvironmentVariableDetector())
            .WithTracing(tracing =>
                tracing
                    .AddSource(Prefix)
                    // Probes come every few seconds and would bury the syncs; the page's stream lasts for hours.
                    .AddAspNetCoreInstrumentation(options =>
                        options.Filter = context => context.Request.Path.Value is not ("/health" or "/alive" or "/events")
                    )
                    .AddHttpClientInstrumentation()
            )
            .WithMetrics(metrics =>
                metrics.AddMeter(Prefix).AddAspNetCoreInstrumentation().AddHttpClientInstrumentation().AddRuntimeInstrumentation()
            )
            .UseOtlpExporter();
    }
}
