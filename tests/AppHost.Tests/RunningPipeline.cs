using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.AppHost.Tests;

/// <summary>The real AppHost with the real orchestrator and dashboard, on ports and in a folder of its own.</summary>
internal sealed class RunningPipeline : IDisposable
{
    private readonly TempDirectory folder = new();
    private readonly StringBuilder output = new();
    private readonly Process process;

    internal RunningPipeline()
    {
        Dashboard = new HttpClient { BaseAddress = new Uri($"http://localhost:{FreePort()}"), Timeout = TimeSpan.FromSeconds(10) };
        ProcessStartInfo start = new(
            "dotnet",
            ["run", "--project", Repository.PathOf("src", "AppHost"), "--no-build", "--no-launch-profile", "-c", Configuration]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ASPNETCORE_URLS"] = Dashboard.BaseAddress.ToString();
        start.Environment["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = $"http://localhost:{FreePort()}";
        start.Environment["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = $"http://localhost:{FreePort()}";
        start.Environment["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true";
        start.Environment["ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS"] = "true";
        start.Environment["Parameters__demo-folder"] = folder.File("demo");
        start.Environment["Parameters__every"] = "5s";
        process = Process.Start(start) ?? throw new InvalidOperationException("the AppHost did not start");
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The dashboard.</summary>
    internal HttpClient Dashboard { get; }

    /// <summary>The model that the demo producer trains.</summary>
    internal string Model => folder.File("demo", "model");

    /// <summary>What it printed so far, for the message of a failing test.</summary>
    internal string Output
    {
        get
        {
            lock (output)
            {
                return output.ToString();
            }
        }
    }

    /// <summary>All spans that the dashboard received: service, name, id of the trace, id, id of the parent.</summary>
    internal async Task<IReadOnlyList<(string Service, string Name, string Trace, string Id, string Parent)>> SpansAsync()
    {
        JsonElement answer = await Dashboard.GetFromJsonAsync<JsonElement>("/api/telemetry/spans?limit=1000");
        return
        [
            .. from resource in answer.GetProperty("data").GetProperty("resourceSpans").EnumerateArray()
            let service = resource
                .GetProperty("resource")
                .GetProperty("attributes")
                .EnumerateArray()
                .First(attribute => attribute.GetProperty("key").GetString() == "service.name")
                .GetProperty("value")
                .GetProperty("stringValue")
                .GetString()
            from scope in resource.GetProperty("scopeSpans").EnumerateArray()
            from span in scope.GetProperty("spans").EnumerateArray()
            select (service, Text(span, "name"), Text(span, "traceId"), Text(span, "spanId"), Text(span, "parentSpanId")),
        ];
    }

    public void Dispose()
    {
        // SIGTERM: the orchestrator takes its children along.
        using (Process kill = Process.Start("kill", ["-TERM", process.Id.ToString()]))
        {
            kill.WaitForExit();
        }

        if (!process.WaitForExit(TimeSpan.FromSeconds(60)))
        {
            process.Kill(entireProcessTree: true);
        }

        process.Dispose();
        Dashboard.Dispose();
        folder.Dispose();
    }

#if DEBUG
    private const string Configuration = "Debug";
#else
    private const string Configuration = "Release";
#endif

    private static string Text(JsonElement span, string field) =>
        span.TryGetProperty(field, out JsonElement value) ? value.GetString() ?? "" : "";

    private void Keep(string? line)
    {
        lock (output)
        {
            output.AppendLine(line);
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
