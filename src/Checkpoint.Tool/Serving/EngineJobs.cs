using System.Diagnostics;
using System.Text.Json;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Verification;
using ApolloCheckpoint.Tool.Commands;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>What the service can be asked to run: the verbs of the command line, with the same reports.</summary>
/// <param name="request">The sync that each run does.</param>
/// <param name="sync">Runs one sync.</param>
internal sealed class EngineJobs(SyncRequest request, Func<SyncRequest, IProgressSink, CancellationToken, SyncReport> sync)
{
    /// <summary>The model.</summary>
    public string ModelDirectory => request.ModelDirectory;

    /// <summary>Called with every report of a sync, on the run's thread.</summary>
    public event Action<SyncReport>? Synced;

    /// <summary>Called with every failure of a sync and its wall time.</summary>
    public event Action<CheckpointException, TimeSpan>? Failed;

    /// <summary>Live weights into the files.</summary>
    public RunResult Sync(IProgressSink progress, CancellationToken cancel)
    {
        long begin = Stopwatch.GetTimestamp();
        SyncReport report;
        try
        {
            report = sync(request, progress, cancel);
        }
        catch (CheckpointException failure)
        {
            Failed?.Invoke(failure, Stopwatch.GetElapsedTime(begin));
            throw;
        }

        Synced?.Invoke(report);
        return new RunResult(SyncReportText.Headline(report), Json(json => SyncReportJson.Body(json, report)));
    }

    /// <summary>Files up to the newest version.</summary>
    public RunResult Fold(IProgressSink progress, CancellationToken cancel)
    {
        FoldResult result = FoldCommand.Execute(request.ModelDirectory, request.FoldWay, progress, cancel);
        return new RunResult(result.Headline, Json(json => HistoryJson.Body(json, result)));
    }

    /// <summary>Files and journal against their digests; damage is a failure of the run.</summary>
    public RunResult Verify(IProgressSink progress, CancellationToken cancel)
    {
        VerifyReport report = new HistoryEngine(request.ModelDirectory, progress).Verify(cancel);
        report.RequireGood(request.ModelDirectory);
        using StringWriter text = new();
        HistoryText.Write(text, report, null, colour: false);
        return new RunResult(text.ToString().Split('\n')[0], Json(json => HistoryJson.Body(json, report, null)));
    }

    /// <summary>What a sync would compare with what.</summary>
    /// <exception cref="CheckpointException">As a sync's, before it reads weights.</exception>
    public string Plan(bool mismatchesOnly, CancellationToken cancel)
    {
        using StringWriter text = new();
        PlanJson.Write(text, PlanCommand.Describe(request, cancel), mismatchesOnly);
        return text.ToString();
    }

    private static JsonElement Json(Action<Utf8JsonWriter> body)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            body(json);
        }

        using JsonDocument document = JsonDocument.Parse(stream.GetBuffer().AsMemory(0, (int)stream.Length));
        return document.RootElement.Clone();
    }
}
