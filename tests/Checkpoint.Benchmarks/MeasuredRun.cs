using System.Diagnostics;
using System.Globalization;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>What one run of a program cost, its children included.</summary>
/// <param name="Wall">Seconds from start to end.</param>
/// <param name="Cpu">Seconds of processor time, user and system.</param>
/// <param name="PrivateBytes">Most private memory at any instant: resident, less what belongs to mapped files.</param>
/// <param name="WrittenBytes">
/// What was given to write calls (wchar of /proc/PID/io). Pages dirtied through a mapping are not in it, which only the old program does;
/// write_bytes counts a whole large folio for every page that is touched in it, so it says little on new kernels.
/// </param>
/// <param name="Output">Its standard output.</param>
internal sealed record MeasuredRun(double Wall, double Cpu, long PrivateBytes, long WrittenBytes, string Output)
{
    /// <summary>
    /// A shell that waits for the program and then reads its own account: the kernel adds a child's I/O and processor time to its
    /// parent's when it is waited for, so nothing is lost that happens after the last look.
    /// </summary>
    private const string Script = "\"$@\"; code=$?; cat /proc/$$/io /proc/$$/stat >\"$ACCOUNT\"; exit $code";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    /// <summary>Megabytes, seconds and the rest, for a row.</summary>
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Wall:F2} s, CPU {Cpu:F2} s, private {PrivateBytes / 1e6:F0} MB, written {WrittenBytes / 1e6:F2} MB"
        );

    /// <summary>Runs a program to its end.</summary>
    /// <param name="command">File, then arguments.</param>
    /// <param name="environment">Variables to set.</param>
    /// <exception cref="InvalidOperationException">It exited with another code than 0.</exception>
    public static MeasuredRun Of(IEnumerable<string> command, IReadOnlyDictionary<string, string>? environment = null)
    {
        string account = Path.GetTempFileName();
        ProcessStartInfo start = new("/bin/sh") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments = ["-c", Script, "measured", .. command];
        Array.ForEach(arguments, start.ArgumentList.Add);
        start.Environment["ACCOUNT"] = account;
        start.Environment["DOTNET_TieredCompilation"] = Environment.GetEnvironmentVariable("DOTNET_TieredCompilation") ?? "1";
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        try
        {
            return Measure(start, account);
        }
        finally
        {
            File.Delete(account);
        }
    }

    private static MeasuredRun Measure(ProcessStartInfo start, string account)
    {
        long begin = Stopwatch.GetTimestamp();
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("no process was started");
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        long most = 0;
        do
        {
            most = Math.Max(most, PrivateOf(process.Id));
        } while (!process.WaitForExit(Look));
        double wall = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"exit {process.ExitCode}: {error.Result.Trim()}");
        }

        string[] lines = File.ReadAllLines(account);
        long written = long.Parse(lines.First(line => line.StartsWith("wchar:", StringComparison.Ordinal)).Split(' ')[1]);
        return new MeasuredRun(wall, CpuOf(lines[^1]), most, written, output.Result);
    }

    /// <summary>Fields 14 to 17 of /proc/PID/stat: user and system time, own and of children, in ticks of 10 ms.</summary>
    private static double CpuOf(string stat) => stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[11..15].Sum(double.Parse) / 100;

    private static long PrivateOf(int process)
    {
        try
        {
            string[] status = File.ReadAllLines($"/proc/{process}/status");
            long own = 1024 * (Field(status, "VmRSS:") - Field(status, "RssFile:"));
            string children = File.ReadAllText($"/proc/{process}/task/{process}/children");
            return own + children.Split(' ', StringSplitOptions.RemoveEmptyEntries).Sum(child => PrivateOf(int.Parse(child)));
        }
        catch (IOException)
        {
            // It ended between two looks.
            return 0;
        }
    }

    private static long Field(string[] status, string name) =>
        status.FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is { } line
            ? long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim())
            : 0;
}
