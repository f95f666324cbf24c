using System.Diagnostics;
using ApolloCheckpoint.Engine.Weights.Python;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Python;

[Collection(PythonCollection.Name)]
[Trait("Ring", "python")]
public sealed class PythonInterpreterTests(PythonSamples samples) : IDisposable
{
    private readonly TempDirectory folder = new();

    public void Dispose() => folder.Dispose();

    [SkippableFact]
    public void Interpreter_says_its_executable_library_and_packages()
    {
        PythonInterpreter found = PythonInterpreter.Find(PythonForTests.Require(), default);
        Assert.True(File.Exists(found.Executable), found.Executable);
        Assert.Contains("libpython3", Path.GetFileName(found.Library), StringComparison.Ordinal);
        Assert.True(File.Exists(found.Library), found.Library);
        Assert.NotEmpty(found.ModulePath);
        Assert.DoesNotContain("", found.ModulePath);
    }

    [SkippableFact]
    public void Venv_is_embedded_as_the_venv()
    {
        string venv = folder.File("my venv");
        using (Process process = Process.Start(PythonForTests.Require(), ["-m", "venv", "--system-site-packages", "--without-pip", venv]))
        {
            process.WaitForExit();
            Skip.If(process.ExitCode != 0, "this Python cannot make a venv");
        }

        SyncRequest request = PythonForTests.Request(samples["calls.pt"], trust: true, python: venv);
        Assert.Equal(Path.Combine(venv, "bin", "python3"), PythonInterpreter.Find(venv, default).Executable);
        using PythonWeightSource source = PythonWeightSource.Open(request, default);
        Assert.Equal(2, source.Tensors.Count);
    }

    [SkippableFact]
    public void Shim_that_starts_another_Python_is_followed()
    {
        string shim = Script($"exec '{PythonForTests.Require()}' \"$@\"");
        Assert.Equal(
            PythonInterpreter.Find(PythonForTests.Require(), default).Executable,
            PythonInterpreter.Find(shim, default).Executable
        );
    }

    [Fact]
    public void Interpreter_without_a_shared_library_is_refused_with_the_way_out() =>
        AssertRefused(
            Describing("""{"INSTSONAME":"libpython3.11.a","LDLIBRARY":"libpython3.11.a","LIBDIR":"/usr/lib"}"""),
            "/opt/py/bin/python3 (Python 3.11.9) was built without a shared libpython and cannot be embedded",
            "--enable-shared"
        );

    [Fact]
    public void Shared_library_that_is_not_installed_is_refused_with_the_package() =>
        AssertRefused(
            Describing("""{"INSTSONAME":"libpython3.11.so.9.9","LDLIBRARY":"libpython3.11.so.none","LIBDIR":"/usr/lib"}"""),
            "/opt/py/bin/python3 (Python 3.11.9) belongs to libpython3.11.so.9.9, which is not installed",
            "apt-get install libpython3.11"
        );

    [Fact]
    public void Interpreter_without_torch_is_refused_with_the_way_out() =>
        AssertRefused(Describing("{}", torch: "false"), "/opt/py/bin/python3 (Python 3.11.9) has no torch", "--python PATH");

    [Fact]
    public void Program_that_is_no_Python_is_refused() =>
        AssertRefused(Script("echo hello"), "does not answer as Python 3 does (exit code 0)", "--python PATH");

    [Fact]
    public void Program_that_fails_is_quoted() =>
        AssertRefused(
            Script("echo first >&2; echo 'cannot do that' >&2; exit 3"),
            "does not answer as Python 3 does: cannot do that",
            "--python PATH"
        );

    [Fact]
    public void Path_where_nothing_stands_is_refused() => AssertRefused(folder.File("none"), "cannot be run", "--python PATH");

    [Fact]
    public void Folder_that_is_no_environment_is_refused() =>
        AssertRefused(folder.Path, "is a folder without bin/python3", "--python PATH");

    [Fact]
    public void Asking_can_be_cancelled()
    {
        using CancellationTokenSource cancellation = new(TimeSpan.FromMilliseconds(200));
        string slow = Script("exec sleep 600");
        Assert.ThrowsAny<OperationCanceledException>(() => PythonInterpreter.Find(slow, cancellation.Token));
    }

    private static void AssertRefused(string python, string message, string next)
    {
        CheckpointException refused = Assert.Throws<CheckpointException>(() => PythonInterpreter.Find(python, default));
        Assert.Equal((CheckpointError.SourceUnsupported, 11), (refused.Error, refused.ExitCode));
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.Contains(next, refused.Next, StringComparison.Ordinal);
    }

    private string Describing(string config, string torch = "true") =>
        Script(
            "echo '{\"executable\":\"/opt/py/bin/python3\",\"version\":\"3.11.9\",\"prefix\":\"/opt/py\",\"basePrefix\":\"/opt/py\","
                + $"\"path\":[],\"torch\":{torch},\"config\":{config}}}'"
        );

    private string Script(string body)
    {
        string path = folder.File("python");
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
