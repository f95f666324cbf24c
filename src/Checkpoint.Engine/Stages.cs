namespace ApolloCheckpoint.Engine;

/// <summary>Measures the stages of a run, in the order they were entered.</summary>
internal sealed class Stages(TimeProvider time)
{
    private readonly long begin = time.GetTimestamp();
    private readonly List<(string Stage, TimeSpan Elapsed)> finished = [];

    /// <summary>The finished stages.</summary>
    internal IReadOnlyList<(string Stage, TimeSpan Elapsed)> Finished => finished;

    /// <summary>Since the beginning.</summary>
    internal TimeSpan Elapsed => time.GetElapsedTime(begin);

    /// <summary>Runs and measures one stage.</summary>
    internal T Run<T>(string stage, Func<T> body)
    {
        long start = time.GetTimestamp();
        using System.Diagnostics.Activity? span = EngineActivity.Source.StartActivity(stage);
        T result = body();
        finished.Add((stage, time.GetElapsedTime(start)));
        return result;
    }
}
