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

    /// <summary>The process of a resource, by words of its command line; null while there is none.</summary>
    internal int? ProcessOf(string verb) =>
        Directory
            .EnumerateDirectories("/proc")
            .Select(Path.GetFileName)
            .Where(name => int.TryParse(name, out _))
            .Select(name => int.Parse(name!))
            .Where(id => Words(id) is { } words && words.Contains(Model) && Array.Exists(words, word => word == verb))
            // The orchestrator runs "dotnet run", which starts the program itself: the younger of the two.
            .OrderDescending()
            .Cast<int?>()
            .FirstOrDefault();

    /// <summary>Where a process was told to listen.</summary>
    internal static string? AddressOf(int process) =>
        File.ReadAllText($"/proc/{process}/environ")
            .Split('\0')
            .FirstOrDefault(line => line.StartsWith("ASPNETCORE_URLS=", StringComparison.Ordinal))
            ?["ASPNETCORE_URLS=".Length..];

    /// <summary>What the dashboard has of a resource: logs, traces, metrics.</summary>
    internal async Task<(bool Logs, bool Traces, bool Metrics)> TelemetryOfAsync(string resource)
    {
        JsonElement all = await Dashboard.GetFromJsonAsync<JsonElement>("/api/telemetry/resources");
        JsonElement one = all.EnumerateArray().FirstOrDefault(row => Text(row, "name") == resource || Text(row, "displayName") == resource);
        return one.ValueKind == JsonValueKind.Undefined
            ? default
            : (
                one.GetProperty("hasLogs").GetBoolean(),
                one.GetProperty("hasTraces").GetBoolean(),
                one.GetProperty("hasMetrics").GetBoolean()
            );
    }

    /// <summary>The log lines of a resource that the dashboard received.</summary>
    internal Task<string> LogsAsync(string resource) => Dashboard.GetStringAsync($"/api/telemetry/logs?resource={resource}&limit=1000");

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
    internal const string Configuration = "Debug";
#else
    internal const string Configuration = "Release";
#endif

    private static string[]? Words(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline").Split('\0');
        }
        catch (IOException)
        {
            return null;
        }
    }

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
