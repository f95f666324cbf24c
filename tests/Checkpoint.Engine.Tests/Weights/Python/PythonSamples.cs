using System.Diagnostics;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Python;

/// <summary>Files that a real torch wrote, made once for all tests of the python source.</summary>
public sealed class PythonSamples : IDisposable
{
    private readonly TempDirectory folder = new();
    private readonly HashSet<string> made = [];

    /// <summary>A file of make_samples.py.</summary>
    public string this[string name] => Path.Combine(Made(""), name);

    /// <summary>A file of make_samples.py, made with the torch of that PYTHONPATH.</summary>
    public string Of(string modulePath, string name) => Path.Combine(Made(modulePath), name);

    public void Dispose() => folder.Dispose();

    private string Made(string modulePath)
    {
        string path = folder.Folder(modulePath.Length == 0 ? "own" : "other");
        if (made.Add(modulePath))
        {
            string script = Path.Combine(AppContext.BaseDirectory, "Weights", "Python", "make_samples.py");
            ProcessStartInfo start = new(PythonForTests.Require(), [script, path]) { RedirectStandardError = true };
            start.Environment["PYTHONPATH"] = modulePath;
            using Process process = Process.Start(start)!;
            string errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, errors);
        }

        return path;
    }
}

/// <summary>The tests of the python source share the samples, run one after another, and may change the environment.</summary>
[CollectionDefinition(Name)]
public sealed class PythonCollection : ICollectionFixture<PythonSamples>
{
    public const string Name = "python";
}
