using System.Diagnostics;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Demo;

/// <summary>
/// A real sync in a child process, killed with SIGKILL while it works. The killer knows no more than what can be seen from outside: the
/// files that appear in the model directory.
/// </summary>
internal sealed class KilledSync
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly StatePaths paths;

    private KilledSync(string model) => paths = new StatePaths(model);

    /// <summary>What the dead process left, in words; null when it was done before the kill.</summary>
    public string? Left { get; private set; }

    /// <summary>Runs a sync and kills it a moment after its work can be seen.</summary>
    /// <param name="model">The model directory.</param>
    /// <param name="handles">The handles directory.</param>
    /// <param name="version">The version that the sync will make.</param>
    /// <param name="dice">How long the moment is, up to 20 ms.</param>
    public static KilledSync Run(string model, string handles, long version, Dice dice)
    {
        KilledSync killed = new(model);
        using Process process = ToolChild.Start(["sync", "--model-dir", model, "--handles", handles]);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        long begin = Stopwatch.GetTimestamp();
        while (!process.HasExited && !killed.IsFolding && Stopwatch.GetElapsedTime(begin) < Patience)
        {
            Thread.Sleep(1);
        }

        Thread.Sleep((int)(dice.Next() % 20));
        process.Kill();
        process.WaitForExit();
        Task.WaitAll(output, errors);
        // 128 + SIGKILL: it did not end by itself.
        killed.Left = process.ExitCode == 137 ? killed.Describe(version) : null;
        return killed;
    }

    private bool IsFolding => Redos.Any() || Replacements.Any();

    private IEnumerable<string> Redos => Directory.Exists(paths.Redo) ? Directory.EnumerateFiles(paths.Redo) : [];

    private IEnumerable<string> Replacements => Directory.EnumerateFiles(paths.Model, "*.folding");

    /// <returns>Null when nothing unfinished is left: the kill came too late.</returns>
    private string? Describe(long version)
    {
        List<string> left = [];
        if (File.Exists(paths.WritingDelta))
        {
            left.Add("a delta that was not committed");
        }

        left.AddRange(Redos.Select(path => $"a redo file ({Path.GetFileName(path)})"));
        left.AddRange(Replacements.Select(path => $"half a file ({Path.GetFileName(path)}, {Quantity.Size(new FileInfo(path).Length)})"));
        string committed = File.Exists(paths.Delta(version)) ? $"version {version} committed" : $"version {version} not committed";
        return left.Count == 0 ? null : $"{committed}, and {string.Join(", ", left)}";
    }
}
