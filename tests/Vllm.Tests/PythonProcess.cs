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
        : this(exportDir, pythonPath, script, [], arguments) { }

    /// <summary>Starts a script with further environment variables.</summary>
    internal PythonProcess(
        string exportDir,
        string pythonPath,
        string script,
        IEnumerable<KeyValuePair<string, string>> variables,
        IEnumerable<string> arguments
    )
    {
        name = script;
        string path = Repository.PathOf("tests", "Vllm.Tests", "scripts", script);
        process = new Process { StartInfo = VllmEnvironment.Start(exportDir, pythonPath, ["-s", path, .. arguments]) };
        foreach ((string variable, string value) in variables)
        {
            process.StartInfo.Environment[variable] = value;
        }

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

    /// <summary>Lets it end by itself for a while: several ranks that are killed leave their shared memory behind.</summary>
    internal void EndGently()
    {
        if (!process.HasExited)
        {
            process.StandardInput.Close();
            process.WaitForExit(TimeSpan.FromSeconds(30));
        }
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
}
