using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using ApolloCheckpoint.Service;
using ApolloCheckpoint.Tool.Tests.Processes;

namespace ApolloCheckpoint.Tool.Tests.Serving;

/// <summary><c>serve</c> as a real process on a tiny live model, with a state folder of its own.</summary>
internal sealed class RunningEngine : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly StringBuilder said = new();
    private readonly Process process;

    private RunningEngine(Process process, string address, string token)
    {
        this.process = process;
        Address = address;
        Client = ServiceClient.Create(address, token);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
    }

    /// <summary>Where it listens.</summary>
    public string Address { get; }

    /// <summary>A client that shows the token.</summary>
    public HttpClient Client { get; }

    /// <summary>What it said so far.</summary>
    public string Said
    {
        get
        {
            lock (said)
            {
                return said.ToString();
            }
        }
    }

    /// <summary>Starts it, and waits until it answers.</summary>
    public static async Task<RunningEngine> StartAsync(LiveModel model, params string[] options)
    {
        string address = $"http://127.0.0.1:{FreePort()}";
        string state = model.Beside("state");
        string assembly = Path.Combine(AppContext.BaseDirectory, "apollo-checkpoint.dll");
        string[] arguments = ["serve", "--model-dir", model.Path, "--handles", model.Handles, "--url", address, .. options];
        ProcessStartInfo start = new("env", ["--default-signal=INT,TERM", "dotnet", assembly, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["APOLLO_STATE_DIR"] = state;
        start.Environment.Remove("ASPNETCORE_URLS");
        Process process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start");
        RunningEngine engine = new(process, address, Path.Combine(state, "token"));
        await engine.UntilAsync(async () => (await engine.Client.GetAsync("/alive")).IsSuccessStatusCode);
        return engine;
    }

    /// <summary>Asks for a run and gives its number.</summary>
    public async Task<int> PostAsync(string path)
    {
        using HttpResponseMessage answer = await Client.PostAsync(path, null);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetInt32();
    }

    /// <summary>A run, once it is no longer running.</summary>
    public async Task<JsonElement> EndOfAsync(int run)
    {
        JsonElement answer = default;
        await UntilAsync(async () =>
        {
            answer = await Client.GetFromJsonAsync<JsonElement>($"/runs/{run}?wait=5");
            return answer.GetProperty("state").GetString() != "running";
        });
        return answer;
    }

    /// <summary>Asks for a run and waits for its end.</summary>
    public async Task<JsonElement> RunAsync(string path) => await EndOfAsync(await PostAsync(path));

    /// <summary>What <c>/status</c> says.</summary>
    public Task<JsonElement> StatusAsync() => Client.GetFromJsonAsync<JsonElement>("/status");

    /// <summary>Waits for a condition.</summary>
    public async Task UntilAsync(Func<Task<bool>> condition)
    {
        long begin = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                Assert.False(process.HasExited, Said);
            }

            Assert.True(Stopwatch.GetElapsedTime(begin) < Patience, Said);
            await Task.Delay(20);
        }
    }

    /// <summary>Sends a signal and waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public int End(string signal)
    {
        using (Process kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            kill.WaitForExit();
        }

        Assert.True(process.WaitForExit(Patience), Said);
        process.WaitForExit();
        return process.ExitCode;
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
            process.WaitForExit();
        }

        process.Dispose();
        Client.Dispose();
    }

    private void Keep(string? line)
    {
        lock (said)
        {
            said.AppendLine(line);
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
