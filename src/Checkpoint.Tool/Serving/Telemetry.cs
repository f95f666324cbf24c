using ApolloCheckpoint.Engine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>Sends traces, metrics and logs over OTLP, where OTEL_EXPORTER_OTLP_ENDPOINT says that somebody listens.</summary>
internal static class Telemetry
{
    /// <summary>Adds it to a service.</summary>
    public static void AddTo(IHostApplicationBuilder builder, string service)
    {
        if (string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            return;
        }

        builder.Logging.AddOpenTelemetry(logging => logging.IncludeFormattedMessage = true);
        builder
            .Services.AddOpenTelemetry()
            // OTEL_SERVICE_NAME wins; this is the name without an orchestrator.
            .ConfigureResource(resource => resource.AddService(service).AddEnvironmentVariableDetector())
            .WithTracing(tracing =>
                tracing
                    .AddSource(EngineActivity.SourceName)
                    // Probes come every few seconds and would bury the syncs.
                    .AddAspNetCoreInstrumentation(options =>
                        options.Filter = context => context.Request.Path.Value is not ("/health" or "/alive")
                    )
                    .AddHttpClientInstrumentation()
            )
            .WithMetrics(metrics => metrics.AddMeter(EngineActivity.SourceName).AddAspNetCoreInstrumentation().AddRuntimeInstrumentation())
            .UseOtlpExporter();
    }
}
