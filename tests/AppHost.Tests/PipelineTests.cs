using System.Text.Json;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.AppHost.Tests;

[Trait("Ring", "aspire")]
public sealed class PipelineTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task Live_demo_model_is_synced_by_the_trigger_and_the_dashboard_shows_one_trace_across_both()
    {
        using RunningPipeline pipeline = new();

        // Versions appear in the journal of the model that the demo producer trains.
        string journal = Path.Combine(pipeline.Model, ".apollo", "journal");
        await Eventually(pipeline, () => Task.FromResult(Directory.Exists(journal) && Directory.GetFiles(journal, "*.delta").Length >= 2));

        // A tick of the trigger, the request it makes and the stages of the engine are one trace.
        await Eventually(
            pipeline,
            async () =>
            {
                var spans = await pipeline.SpansAsync();
                return spans
                    .Where(span => span is { Service: "trigger", Name: "trigger.tick" })
                    .Any(tick =>
                    {
                        var trace = spans.Where(span => span.Trace == tick.Trace).ToList();
                        return new[] { "sync", "plan", "scan", "commit", "fold" }.All(stage =>
                            trace.Exists(span => span.Service == "engine" && span.Name == stage)
                        );
                    });
            }
        );
        Assert.True(Directory.Exists(journal), pipeline.Output);
    }

    private static async Task Eventually(RunningPipeline pipeline, Func<Task<bool>> condition)
    {
        DateTime end = DateTime.UtcNow + Patience;
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or JsonException)
            {
                // The dashboard is not there yet.
            }

            Assert.True(DateTime.UtcNow < end, pipeline.Output);
            await Task.Delay(500);
        }
    }
}
