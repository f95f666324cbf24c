using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.Tool.Tests.Processes;
using VerifyXunit;

namespace ApolloCheckpoint.Tool.Tests.Serving;

public class EngineServiceTests
{
    [Fact]
    public async Task Sync_is_accepted_and_its_run_can_be_followed_to_the_report()
    {
        using LiveModel model = new();
        model.Train();
        using RunningEngine engine = await RunningEngine.StartAsync(model);
        using HttpResponseMessage accepted = await engine.Client.PostAsync("/sync?by=trigger&next=2099-01-02T03:04:05Z", null);
        Assert.Equal((HttpStatusCode.Accepted, "/runs/1"), (accepted.StatusCode, accepted.Headers.Location?.OriginalString));

        JsonElement run = await engine.EndOfAsync(1);
        Assert.Equal(("done", "sync", "trigger"), (Text(run, "state"), Text(run, "kind"), Text(run, "by")));
        Assert.StartsWith("version 1 · ", Text(run, "sentence"));
        Assert.Equal(1, run.GetProperty("report").GetProperty("version").GetInt64());
        Assert.True(model.IsSynced);

        JsonElement status = await engine.StatusAsync();
        Assert.Equal((1, 1), (status.GetProperty("version").GetInt64(), status.GetProperty("filesVersion").GetInt64()));
        Assert.Equal("2099-01-02T03:04:05Z", Text(status, "nextSync"));
        Assert.Equal(
            run.GetProperty("report").GetProperty("writtenBytes").GetInt64(),
            status.GetProperty("today").GetProperty("writtenBytes").GetInt64()
        );
        JsonElement versions = await engine.Client.GetFromJsonAsync<JsonElement>("/versions");
        Assert.Equal(1, versions.GetProperty("versions").GetArrayLength());
        JsonElement plan = await engine.Client.GetFromJsonAsync<JsonElement>("/plan");
        Assert.Equal(0, plan.GetProperty("mismatches").GetArrayLength());
    }

    [Fact]
    public async Task Two_requests_at_once_are_one_run_and_another_kind_is_told_to_wait()
    {
        using LiveModel model = new();
        model.Run("sync");
        model.Train();
        using RunningEngine engine = await RunningEngine.StartAsync(model, "--consistency", "lock", "--max-stall", "10m");
        using IDisposable? step = Disk.Instance.TryLock(Path.Combine(model.Handles, "state.bin"), shared: false);
        Assert.NotNull(step);
        int first = await engine.PostAsync("/sync");
        using HttpResponseMessage second = await engine.Client.PostAsync("/sync", null);
        Assert.Equal((HttpStatusCode.Accepted, $"/runs/{first}"), (second.StatusCode, second.Headers.Location?.OriginalString));
        Assert.Equal("true", second.Headers.GetValues("X-Already-Running").Single());

        using HttpResponseMessage other = await engine.Client.PostAsync("/verify", null);
        JsonElement problem = await other.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(
            (HttpStatusCode.Conflict, "Busy", 18),
            (other.StatusCode, Text(problem, "code"), problem.GetProperty("exitCode").GetInt32())
        );
        Assert.Contains($"/runs/{first}", Text(problem, "next"));

        step.Dispose();
        Assert.Equal("done", Text(await engine.EndOfAsync(first), "state"));
        Assert.Equal("done", Text(await engine.RunAsync("/verify"), "state"));
    }

    [Fact]
    public async Task Stopped_service_ends_a_running_sync_cleanly_and_remembers_it()
    {
        using LiveModel model = new();
        model.Run("sync");
        model.Train();
        string before = model.Digest;
        using IDisposable? step = Disk.Instance.TryLock(Path.Combine(model.Handles, "state.bin"), shared: false);
        using (RunningEngine engine = await RunningEngine.StartAsync(model, "--consistency", "lock", "--max-stall", "10m"))
        {
            await engine.PostAsync("/sync");
            string writing = Path.Combine(model.Path, ".apollo", "journal", ".writing.delta");
            await engine.UntilAsync(() => Task.FromResult(File.Exists(writing)));
            Assert.Equal(0, engine.End("TERM"));
            Assert.False(File.Exists(writing), "the sync was cut off instead of ended");
        }

        Assert.Equal(before, model.Digest);
        step?.Dispose();
        using RunningEngine again = await RunningEngine.StartAsync(model);
        JsonElement first = await again.EndOfAsync(1);
        Assert.Equal("interrupted", Text(first, "state"));
        Assert.Contains("cancelled", Text(first, "sentence"));
        Assert.Equal(2, (await again.RunAsync("/sync")).GetProperty("id").GetInt32());
    }

    [Fact]
    public async Task History_survives_a_kill_and_goes_on()
    {
        using LiveModel model = new();
        model.Train();
        using IDisposable? step = Disk.Instance.TryLock(Path.Combine(model.Handles, "state.bin"), shared: false);
        using (RunningEngine engine = await RunningEngine.StartAsync(model, "--consistency", "lock", "--max-stall", "10m"))
        {
            await engine.PostAsync("/sync");
            engine.End("KILL");
        }

        step?.Dispose();
        using RunningEngine again = await RunningEngine.StartAsync(model);
        Assert.Equal("interrupted", Text(await again.EndOfAsync(1), "state"));
        JsonElement run = await again.RunAsync("/sync");
        Assert.Equal((2, "done"), (run.GetProperty("id").GetInt32(), Text(run, "state")));
        JsonElement runs = await again.Client.GetFromJsonAsync<JsonElement>("/runs");
        Assert.Equal([2, 1], runs.EnumerateArray().Select(one => one.GetProperty("id").GetInt32()));
    }

    [Fact]
    public async Task Failure_has_the_exit_code_its_name_and_the_next_step()
    {
        using LiveModel model = new();
        using RunningEngine engine = await RunningEngine.StartAsync(model);
        model.StopProducer();
        JsonElement run = await engine.RunAsync("/sync");
        JsonElement error = run.GetProperty("error");
        Assert.Equal(
            ("failed", 11, "HandlesNotFound"),
            (Text(run, "state"), error.GetProperty("exitCode").GetInt32(), Text(error, "code"))
        );
        Assert.False(string.IsNullOrEmpty(Text(error, "next")));

        using HttpResponseMessage plan = await engine.Client.GetAsync("/plan");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, plan.StatusCode);
        Assert.Equal("application/problem+json", plan.Content.Headers.ContentType?.MediaType);
        JsonElement problem = await plan.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(("HandlesNotFound", "urn:apollo-checkpoint:error:1100"), (Text(problem, "title"), Text(problem, "type")));

        using HttpResponseMessage health = await engine.Client.GetAsync("/health");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        Assert.Contains("the last sync failed", await health.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.OK, (await engine.Client.GetAsync("/alive")).StatusCode);

        using HttpResponseMessage unknown = await engine.Client.GetAsync("/runs/99");
        Assert.Equal(
            (HttpStatusCode.NotFound, "RunUnknown"),
            (unknown.StatusCode, Text(await unknown.Content.ReadFromJsonAsync<JsonElement>(), "code"))
        );
        using HttpResponseMessage nowhere = await engine.Client.GetAsync("/nowhere");
        Assert.Equal("application/problem+json", nowhere.Content.Headers.ContentType?.MediaType);
        using HttpResponseMessage usage = await engine.Client.PostAsync("/sync?by=Some%20One", null);
        Assert.Equal(HttpStatusCode.BadRequest, usage.StatusCode);
    }

    [Fact]
    public async Task Files_are_folded_when_asked()
    {
        using LiveModel model = new();
        model.Run("sync");
        model.Train();
        using RunningEngine engine = await RunningEngine.StartAsync(model, "--fold", "never");
        await engine.RunAsync("/sync");
        Assert.Equal(0, (await engine.StatusAsync()).GetProperty("filesVersion").GetInt64());
        JsonElement fold = await engine.RunAsync("/fold");
        Assert.Equal("done", Text(fold, "state"));
        Assert.Contains("brought from version 0 to 1", Text(fold, "sentence"));
        Assert.True(model.IsSynced);
    }

    [Fact]
    public async Task Service_describes_itself()
    {
        using LiveModel model = new();
        using RunningEngine engine = await RunningEngine.StartAsync(model);
        await Verifier.Verify(await engine.Client.GetStringAsync("/openapi/v1.json"));
    }

    [Fact]
    public async Task Token_is_never_in_the_log()
    {
        using LiveModel model = new();
        using RunningEngine engine = await RunningEngine.StartAsync(model);
        await engine.RunAsync("/sync");
        Assert.DoesNotContain(
            await File.ReadAllTextAsync(Path.Combine(model.Beside("state"), "token")) is { } token ? token.Trim() : "",
            engine.Said
        );
        Assert.Contains($"#token=$(cat {Path.Combine(model.Beside("state"), "token")})", engine.Said);
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();
}
