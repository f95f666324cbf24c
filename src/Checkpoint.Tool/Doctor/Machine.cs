using System.Diagnostics;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Weights.Cuda;
using ApolloCheckpoint.Engine.Weights.Python;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Doctor;

/// <summary>Looks at what this machine brings along: Python, the CUDA driver, ssh and rsync.</summary>
internal static class Machine
{
    private static readonly TimeSpan ProbePatience = TimeSpan.FromSeconds(15);

    /// <summary>Whether there is a Python that the python source can embed.</summary>
    /// <param name="choice">The user's, or null.</param>
    /// <param name="isNeeded">Whether the handles can be opened by torch alone.</param>
    /// <param name="cancel">Ends the asking.</param>
    public static Finding LookAtPython(string? choice, bool isNeeded, CancellationToken cancel)
    {
        try
        {
            PythonInterpreter python = PythonInterpreter.Find(choice, cancel);
            return new Finding(
                Level.Ok,
                "python",
                $"{python.Executable}, Python {python.Version}, with torch and {Path.GetFileName(python.Library)}"
            );
        }
        catch (CheckpointException failure)
        {
            return isNeeded
                ? new Finding(Level.Fail, "python", failure.Message, failure.Next)
                : new Finding(Level.Ok, "python", $"{failure.Message}; not needed for these handles");
        }
    }

    /// <summary>Whether the CUDA driver is there, and which devices it shows; no context is made on any.</summary>
    public static Finding LookAtGpu(bool isNeeded)
    {
        try
        {
            IReadOnlyList<CudaDevice> devices = CudaDevices.List(CudaDriver.Instance);
            string version = CudaDevices.Text(CudaDevices.Version(CudaDriver.Instance));
            string names = string.Join(", ", devices.Select(device => $"{device.Name} ({device.Uuid})"));
            return new Finding(
                Level.Ok,
                "gpu",
                $"CUDA driver {version}, {Quantity.Count(devices.Count, "device")}: {names}; "
                    + "native CUDA proven against the stand-in only, never on a GPU yet"
            );
        }
        catch (CheckpointException failure)
        {
            return isNeeded
                ? new Finding(Level.Fail, "gpu", failure.Message, failure.Next)
                : new Finding(Level.Ok, "gpu", $"{failure.Message}; not needed for these handles");
        }
    }

    /// <summary>Whether the other host can be reached, as the off-site job would.</summary>
    public static Finding LookAtOffsite(string host)
    {
        if (Missing("rsync", "ssh") is { } missing)
        {
            return new Finding(
                Level.Fail,
                host,
                $"{missing} is not installed",
                $"apt-get install {(missing == "ssh" ? "openssh-client" : missing)}"
            );
        }

        (int code, string said) = Probe("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "--", host, "rsync --version >/dev/null");
        return code switch
        {
            0 => new Finding(Level.Ok, host, "ssh answers, and rsync is there"),
            127 => new Finding(Level.Fail, host, "ssh answers, but there is no rsync", $"install rsync on {host}"),
            _ when said.Contains("Host key verification failed", StringComparison.Ordinal) => new Finding(
                Level.Fail,
                host,
                "Host key verification failed",
                $"ssh-keyscan {host} >> ~/.ssh/known_hosts, after checking it"
            ),
            _ => new Finding(Level.Fail, host, said.Length > 0 ? said : $"ssh exits with {code}", $"try: ssh {host} true"),
        };
    }

    /// <summary>Whether ssh and rsync are here at all; the host is only asked when the user wants it.</summary>
    public static Finding LookAtTools() =>
        Missing("rsync", "ssh") is { } missing
            ? new Finding(Level.Ok, "off-site", $"{missing} is not installed; only the off-site job needs it")
            : new Finding(Level.Ok, "off-site", "rsync and ssh are here; --offsite asks the host");

    private static string? Missing(params string[] programs)
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return Array.Find(programs, program => !Array.Exists(folders, folder => File.Exists(Path.Combine(folder, program))));
    }

    private static (int Code, string Said) Probe(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(ProbePatience))
        {
            process.Kill();
            return (-1, "no answer");
        }

        output.GetAwaiter().GetResult();
        string[] lines = errors
            .GetAwaiter()
            .GetResult()
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return (process.ExitCode, lines.Length == 0 ? "" : lines[^1]);
    }
}
