using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>
/// The Python that is embedded: the user's own, asked what it is, because vLLM lives in a venv, a conda environment or behind a shim,
/// and only its interpreter knows its library and its packages.
/// </summary>
/// <param name="Executable">The real executable; a venv's, not its base's: Python finds the venv by it.</param>
/// <param name="Version">For example "3.11.2".</param>
/// <param name="Library">Path of the shared libpython.</param>
/// <param name="ModulePath">sys.path, without the working directory.</param>
internal sealed record PythonInterpreter(string Executable, string Version, string Library, IReadOnlyList<string> ModulePath)
{
    /// <summary>How long an interpreter may take to say what it is.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Asks the chosen interpreter, <c>$PYTHON3</c>, or <c>python3</c> on the PATH.</summary>
    /// <param name="choice">An executable, or the folder of a venv or conda environment; null for the default.</param>
    /// <param name="cancellation">Ends the asking.</param>
    /// <exception cref="CheckpointException">SourceUnsupported: no Python, no shared library, or no torch, each with the way out.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    internal static PythonInterpreter Find(string? choice, CancellationToken cancellation)
    {
        string? named = choice ?? Environment.GetEnvironmentVariable("PYTHON3");
        string command = Resolve(string.IsNullOrEmpty(named) ? "python3" : named);
        PythonDescription description = Ask(command, cancellation);
        if (!description.Torch)
        {
            throw Unfit(
                $"{description.Executable} (Python {description.Version}) has no torch",
                "name the Python that runs the producer: --python PATH; or install torch: apt-get install python3-torch, and --python /usr/bin/python3"
            );
        }

        string library = FindLibrary(description) ?? throw NoLibrary(description);
        return new PythonInterpreter(description.Executable, description.Version, library, description.Path);
    }

    /// <summary>The executable of an environment's folder, or the name as it is.</summary>
    private static string Resolve(string choice)
    {
        if (!Directory.Exists(choice))
        {
            return choice;
        }

        string[] candidates = [Path.Combine(choice, "bin", "python3"), Path.Combine(choice, "bin", "python")];
        return Array.Find(candidates, File.Exists)
            ?? throw Unfit(
                $"{choice} is a folder without bin/python3",
                "name a Python executable, a venv or a conda environment: --python PATH"
            );
    }

    private static PythonDescription Ask(string command, CancellationToken cancellation)
    {
        // The text goes as an argument of its own, and nothing is put into it.
        ProcessStartInfo start = new(command, ["-c", HostScript.Text, "describe"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Patience);
        try
        {
            using Process process = Process.Start(start) ?? throw new Win32Exception("it did not start");
            using CancellationTokenRegistration kill = limit.Token.Register(process.Kill);
            process.StandardInput.Close();
            Task<string> errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
            string answer = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            cancellation.ThrowIfCancellationRequested();
            return Parse(command, answer, errors.GetAwaiter().GetResult(), process.ExitCode);
        }
        catch (Win32Exception e)
        {
            throw Unfit(
                $"{command} cannot be run: {e.Message}",
                "name a Python executable, a venv or a conda environment: --python PATH",
                e
            );
        }
    }

    private static PythonDescription Parse(string command, string answer, string errors, int exitCode)
    {
        // A site customisation may print before us.
        string line = answer.TrimEnd().Split('\n')[^1];
        try
        {
            if (exitCode == 0 && JsonSerializer.Deserialize(line, PythonJson.Default.PythonDescription) is { } description)
            {
                return description;
            }
        }
        catch (JsonException)
        {
            // Falls through: not a Python, said below.
        }

        string said = errors.TrimEnd().Split('\n')[^1].Trim();
        string because = said.Length > 0 ? $": {said}" : $" (exit code {exitCode})";
        throw Unfit(
            $"{command} does not answer as Python 3 does{because}",
            "name a Python executable, a venv or a conda environment: --python PATH"
        );
    }

    /// <summary>
    /// Where the shared library is. Paths in sysconfig are those of the build; a conda environment or a copied Python was moved since, so
    /// the prefixes are tried as well.
    /// </summary>
    private static string? FindLibrary(PythonDescription python)
    {
        string multiarch = python.Config.GetValueOrDefault("MULTIARCH", "");
        IEnumerable<string> folders = new[]
        {
            python.Config.GetValueOrDefault("LIBDIR", ""),
            Path.Combine(python.Config.GetValueOrDefault("LIBDIR", ""), multiarch),
            Path.Combine(python.BasePrefix, "lib"),
            Path.Combine(python.BasePrefix, "lib", multiarch),
            python.Config.GetValueOrDefault("LIBPL", ""),
        };
        string[] names = [python.Config.GetValueOrDefault("INSTSONAME", ""), python.Config.GetValueOrDefault("LDLIBRARY", "")];
        return folders
            .Where(folder => folder.Length > 0)
            .SelectMany(folder =>
                names.Where(name => name.Contains(".so", StringComparison.Ordinal)).Select(name => Path.Combine(folder, name))
            )
            .FirstOrDefault(File.Exists);
    }

    private static CheckpointException NoLibrary(PythonDescription python)
    {
        string minor = string.Join('.', python.Version.Split('.').Take(2));
        string name = python.Config.GetValueOrDefault("INSTSONAME", "");
        bool isStatic = !name.Contains(".so", StringComparison.Ordinal);
        return isStatic
            ? Unfit(
                $"{python.Executable} (Python {python.Version}) was built without a shared libpython and cannot be embedded",
                $"build it shared (pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install --force {python.Version}), or take another: --python /usr/bin/python3"
            )
            : Unfit(
                $"{python.Executable} (Python {python.Version}) belongs to {name}, which is not installed",
                $"apt-get install libpython{minor}, or take another: --python PATH"
            );
    }

    private static CheckpointException Unfit(string what, string next, Exception? inner = null) =>
        new(CheckpointError.SourceUnsupported, what, next, inner);
}
