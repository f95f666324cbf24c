using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Service;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>
/// The runs of one model over restarts of the service: a line of JSON when a run begins and one when it ends, so that a run that has no
/// end was interrupted. Cut to the newest when it is opened. A torn last line, which a crash leaves, is no line.
/// </summary>
internal sealed class RunHistory
{
    /// <summary>Runs that are kept.</summary>
    internal const int Most = 300;

    private readonly string path;

    private RunHistory(string path, List<EngineRun> runs, DayTotals? day)
    {
        this.path = path;
        Runs = runs;
        Day = day;
    }

    /// <summary>The runs of before, newest first; those that had not ended are interrupted.</summary>
    internal IReadOnlyList<EngineRun> Runs { get; }

    /// <summary>The totals of the last day on which a run ended.</summary>
    internal DayTotals? Day { get; }

    /// <summary>Opens the history of a model.</summary>
    /// <param name="stateFolder">The folder of the services.</param>
    /// <param name="modelDirectory">The model.</param>
    /// <exception cref="CheckpointException">15xx: it cannot be written.</exception>
    internal static RunHistory Open(string stateFolder, string modelDirectory)
    {
        string model = Path.GetFullPath(modelDirectory);
        string id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(model)))[..16];
        string folder = Path.Combine(stateFolder, "runs");
        try
        {
            ServiceFolder.Create(stateFolder);
            ServiceFolder.Create(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(
                CheckpointError.DiskWriteFailed,
                $"{folder} cannot be made: {e.Message}",
                "set APOLLO_STATE_DIR to a folder that this user can write",
                e
            );
        }

        string path = Path.Combine(folder, $"{Path.GetFileName(Path.TrimEndingDirectorySeparator(model))}-{id}.jsonl");
        List<RunLine> lines = File.Exists(path) ? [.. File.ReadLines(path).Select(TryParse).OfType<RunLine>()] : [];
        Dictionary<int, EngineRun> runs = [];
        foreach (RunLine line in lines)
        {
            runs[line.Run.Id] = line.Run;
        }

        List<EngineRun> kept = [.. runs.Values.OrderByDescending(run => run.Id).Take(Most).Select(Interrupt)];
        RunHistory history = new(path, kept, lines.LastOrDefault(line => line.Day is not null)?.Day);
        history.Rewrite();
        return history;
    }

    /// <summary>Adds a line. Not flushed to the disk: what a power cut takes from it is no weight of a model.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    internal void Add(RunLine line) => File.AppendAllText(path, Text(line) + "\n");

    private void Rewrite()
    {
        IEnumerable<string> lines = Runs.Reverse().Select((run, i) => Text(new RunLine(run, i == Runs.Count - 1 ? Day : null)));
        AtomicFile.Replace(Disk.Instance, path, Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));
    }

    private static EngineRun Interrupt(EngineRun run) =>
        run.State == RunState.Running
            ? run with
            {
                State = RunState.Interrupted,
                Progress = null,
                Sentence = "interrupted: the service ended before the run did; the next one recovers",
            }
            : run;

    private static string Text(RunLine line) => JsonSerializer.Serialize(line, ServiceJson.Default.RunLine);

    private static RunLine? TryParse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ServiceJson.Default.RunLine);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
