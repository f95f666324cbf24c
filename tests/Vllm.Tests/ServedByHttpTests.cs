using System.Globalization;
using System.Text.Json;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>
/// The whole product as it is run: <c>vllm serve</c>, a trainer, the tool from the command line; and all three killed at random times.
/// </summary>
[Trait("Ring", "vllm")]
[Collection(VllmCollection.Name)]
public sealed class ServedByHttpTests(ServedByHttp served) : IClassFixture<ServedByHttp>
{
    private int whole;
    private long firstVersion;

    private string[] Sync => ["sync", "--model-dir", served.ModelPath, "--handles", served.ExportDir];

    [SkippableFact]
    public void What_the_trainer_did_is_answered_over_http_and_by_a_fresh_server_after_a_sync()
    {
        VllmSite.SkipIfMissing();
        IReadOnlyList<string> before = served.Answers();
        Assert.Contains("apollo: ", served.Server.Log);
        Assert.Contains("No changes", ToolRun.Run(Sync), StringComparison.Ordinal);

        using PythonProcess trainer = served.Train(Repository.PathOf(DocumentationTests.Example.Split('/')), served.ModelPath);
        IReadOnlyList<string> trained = served.Answers();
        Assert.NotEqual(before, trained);
        ToolRun.Run(Sync);

        Assert.Equal(trained, served.FreshAnswers());
    }

    /// <summary>
    /// Whatever is killed when, the files are one version afterwards, and a version that was not labelled as mixed holds one step of the
    /// trainer in all its tensors. Rounds: APOLLO_KILL_ROUNDS, else 4, or 50 in a soak.
    /// </summary>
    [SkippableFact]
    public void Kill_9_of_trainer_tool_and_server_at_random_times_never_leaves_a_torn_model()
    {
        VllmSite.SkipIfMissing();
        int rounds = Rounds();
        Random chance = new(4242);
        PythonProcess? trainer = null;
        _ = served.Server;
        firstVersion = Newest().Version;
        try
        {
            for (int round = 0; round < rounds; round++)
            {
                trainer ??= served.Train("stamp.py");
                using ToolRun sync = ToolRun.Start([.. Sync, "--consistency", round % 2 == 0 ? "lock" : "auto", "--accept-producer"]);
                Thread.Sleep(chance.Next(50, 900));
                if (round % 10 == 3)
                {
                    served.KillServer();
                    End(ref trainer);
                }
                else if (round % 2 == 1)
                {
                    End(ref trainer);
                }
                else
                {
                    sync.Kill();
                }

                sync.Wait();
                AssertWhole(round);
            }

            trainer ??= served.Train("stamp.py");
            ToolRun.Run([.. Sync, "--consistency", "lock", "--accept-producer"]);
            AssertWhole(rounds);
            Assert.True(whole > 0, "no version was of one step");
        }
        finally
        {
            trainer?.Dispose();
        }

        Assert.NotEmpty(served.Answers());
    }

    private static int Rounds() =>
        int.TryParse(Environment.GetEnvironmentVariable("APOLLO_KILL_ROUNDS"), CultureInfo.InvariantCulture, out int asked) ? asked
        : Soak.IsOn ? 50
        : 4;

    private static void End(ref PythonProcess? trainer)
    {
        // Dispose kills: no trainer gets to clean up.
        trainer?.Dispose();
        trainer = null;
    }

    private void AssertWhole(int round)
    {
        ToolRun.Run("fold", "--model-dir", served.ModelPath);
        (long version, string label) = Newest();
        if (version == firstVersion)
        {
            return;
        }

        ToolRun.Run("verify", "--model-dir", served.ModelPath);
        if (!label.StartsWith("mixed", StringComparison.Ordinal))
        {
            IReadOnlyList<float> stamps = Stamps.In(served.ModelPath);
            Assert.True(stamps.Count == 1, $"round {round}: version {version} ({label}) holds steps {string.Join(", ", stamps)}");
            whole++;
        }
    }

    private (long Version, string Label) Newest()
    {
        string state = Path.Combine(served.ModelPath, ".apollo", "state.json");
        if (!File.Exists(state))
        {
            return (0, "");
        }

        JsonElement said = JsonDocument.Parse(File.ReadAllText(state)).RootElement;
        return (said.GetProperty("newest").GetInt64(), said.GetProperty("label").GetString()!);
    }
}
