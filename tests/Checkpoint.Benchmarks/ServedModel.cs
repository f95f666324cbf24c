using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using ApolloCheckpoint.Service;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>The published tool as a service on a Unix socket.</summary>
internal sealed class ServedModel : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("apollo-bench-serve-").FullName;
    private readonly Process process;
    private readonly HttpClient client;

    /// <summary>Starts it, and waits until it answers.</summary>
    public ServedModel(Tool tool, LiveModel model)
    {
        string address = $"http://unix:{Path.Combine(folder, "engine.sock")}";
        ProcessStartInfo start = new(
            tool.FilePath,
            ["serve", "--model-dir", model.ModelPath, "--handles", model.LivePath, "--url", address]
        );
        start.RedirectStandardError = true;
        start.Environment["APOLLO_STATE_DIR"] = folder;
        process = Process.Start(start) ?? throw new InvalidOperationException("serve did not start");
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        client = ServiceClient.Create(address);
        while (!IsAlive() && !process.HasExited)
        {
            Thread.Sleep(20);
        }
    }

    /// <summary>Resident memory now, bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64;
        }
    }

    /// <summary>One sync, followed to its end.</summary>
    public void Sync()
    {
        using HttpResponseMessage accepted = client.PostAsync("/sync", null).Result;
        string run = accepted.EnsureSuccessStatusCode().Headers.Location!.OriginalString;
        JsonElement end = client.GetFromJsonAsync<JsonElement>($"{run}?wait=60").Result;
        if (end.GetProperty("state").GetString() != "done")
        {
            throw new InvalidOperationException(end.GetProperty("sentence").GetString());
        }
    }

    /// <summary>Milliseconds to get a page, all of it.</summary>
    public double Load(string path)
    {
        long begin = Stopwatch.GetTimestamp();
        _ = client.GetByteArrayAsync(path).Result;
        return Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
        client.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private bool IsAlive()
    {
        try
        {
            return client.GetAsync("/alive").Result.IsSuccessStatusCode;
        }
        catch (AggregateException)
        {
            return false;
        }
    }
}
