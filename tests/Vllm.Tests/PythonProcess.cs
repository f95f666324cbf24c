using System.Diagnostics;
using System.Text;
using System.Text.Json;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>One of this folder's scripts as a process that speaks JSON, one value a line.</summary>
internal sealed class PythonProcess : IDisposable
{
    // A first start on a busy machine compiles vLLM's sources and looks into model classes.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private readonly Process process;
    private readonly StringBuilder errors = new();
    private readonly string name;

    /// <summary>Starts a script.</summary>
    /// <param name="exportDir">The hook's export folder (APOLLO_EXPORT_DIR).</param>
    /// <param name="pythonPath">From <see cref="HookInstall"/>.</param>
    /// <param name="script">File name in scripts/.</param>
    /// <param name="arguments">Its arguments.</param>
    internal PythonProcess(string exportDir, string pythonPath, string script, params string[] arguments)
    {
        name = script;
        string path = Repository.PathOf("tests", "Vllm.Tests", "scripts", script);
        process = new Process { StartInfo = Start(exportDir, pythonPath, [path, .. arguments]) };
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.Start();
        process.BeginErrorReadLine();
    }

    /// <summary>Its process id.</summary>
    internal int Id => process.Id;

    /// <summary>Sends a request and waits for its answer.</summary>
    internal JsonElement Ask(object request)
    {
        process.StandardInput.WriteLine(JsonSerializer.Serialize(request));
        process.StandardInput.Flush();
        return Answer();
    }

    /// <summary>The next line it prints.</summary>
    internal JsonElement Answer()
    {
        Task<string?> read = process.StandardOutput.ReadLineAsync();
        Assert.True(read.Wait(Patience), $"{name} did not answer in {Patience}\n{Errors()}");
        Assert.True(read.Result is not null, $"{name} ended without an answer\n{Errors()}");
        return JsonDocument.Parse(read.Result).RootElement;
    }

    /// <summary>Closes its input and waits for a good end.</summary>
    internal void ExpectEnd()
    {
        process.StandardInput.Close();
        Assert.True(process.WaitForExit(Patience), $"{name} does not end\n{Errors()}");
        Assert.True(process.ExitCode == 0, $"{name} ended with {process.ExitCode}\n{Errors()}");
    }

    /// <summary>What it wrote to standard error.</summary>
    internal string Errors()
    {
        lock (errors)
        {
            return errors.ToString();
        }
    }

    /// <summary>Ends it, with its children, if it still runs.</summary>
    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }

        process.Dispose();
    }

    private void Note(string? line)
    {
        lock (errors)
        {
            errors.AppendLine(line);
        }
    }

    private static ProcessStartInfo Start(string exportDir, string pythonPath, IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(VllmSite.Python, ["-s", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("PYTHONDONTWRITEBYTECODE");
        (string Name, string Value)[] variables =
        [
            ("PYTHONPATH", pythonPath),
            ("PYTHONUNBUFFERED", "1"),
            ("APOLLO_EXPORT_DIR", exportDir),
            // One process, one thread: these machines are small, and one start is what costs.
            ("VLLM_ENABLE_V1_MULTIPROCESSING", "0"),
            ("OMP_NUM_THREADS", "1"),
            // Without it the first generation compiles with g++, which need not be here.
            ("TORCHDYNAMO_DISABLE", "1"),
            ("VLLM_CPU_KVCACHE_SPACE", "1"),
            ("VLLM_LOGGING_LEVEL", "INFO"),
            ("VLLM_NO_USAGE_STATS", "1"),
            ("DO_NOT_TRACK", "1"),
            ("HF_HUB_OFFLINE", "1"),
        ];
        foreach ((string variable, string value) in variables)
        {
            start.Environment[variable] = value;
        }

        return start;
    }
}
