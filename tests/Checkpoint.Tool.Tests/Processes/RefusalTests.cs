using System.Diagnostics;
using System.Globalization;
using System.Text;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.Tool.Demo;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Tool.Tests.Processes;

/// <summary>What a refused sync says when not the input but the world around it is wrong; no file of the model becomes another.</summary>
public class RefusalTests
{
    [Fact]
    public async Task Each_is_refused_with_its_code_and_what_to_do_next()
    {
        (string Name, int ExitCode, Func<LiveModel, IDisposable?> Spoil)[] cases =
        [
            ("missing handles", 11, model => Then(model.StopProducer)),
            ("tensor that nothing live holds", 12, AddTensor),
            ("second sync at once", 13, model => Disk.Instance.TryLock(Path.Combine(model.Path, ".apollo", "lock"), shared: false)),
            ("shard changed by something else", 10, model => Then(() => FlipLastByte(Shard(model)))),
        ];
        StringBuilder said = new();
        foreach ((string name, int exitCode, Func<LiveModel, IDisposable?> spoil) in cases)
        {
            using LiveModel model = new();
            said.Append(CultureInfo.InvariantCulture, $"# {name}\n{Refused(model, exitCode, spoil)}\n");
        }

        await Verify(said.ToString());
    }

    [SkippableFact]
    public async Task Handles_of_another_user_are_refused()
    {
        using LiveModel model = new();
        await Verify(Refused(model, 11, model => Then(() => GiveAway(Path.Combine(model.Handles, HandlesPublisher.RankName)))));
    }

    [SkippableFact]
    public async Task Read_only_directory_is_refused()
    {
        using LiveModel model = new();
        await Verify(Refused(model, 15, model => ReadOnlyMount.TryOver(model.Path) ?? throw new SkipException("a bind mount needs root")));
    }

    /// <summary>Syncs once, trains, spoils, syncs again.</summary>
    /// <returns>What the second one said.</returns>
    private static string Refused(LiveModel model, int exitCode, Func<LiveModel, IDisposable?> spoil)
    {
        Assert.Equal(0, model.Run("sync").ExitCode);
        model.Train();
        using IDisposable? during = spoil(model);
        string before = model.Digest;
        ToolRun run = model.Run("sync");
        Assert.Equal((exitCode, ""), (run.ExitCode, run.Out));
        Assert.Equal(before, model.Digest);
        return run.Error.Replace(Path.GetDirectoryName(model.Path)!, "", StringComparison.Ordinal);
    }

    private static IDisposable? Then(Action action)
    {
        action();
        return null;
    }

    private static string Shard(LiveModel model) => Path.Combine(model.Path, "model-00001-of-00002.safetensors");

    /// <summary>Another model in the place of the one that is live; our folder goes with the old one.</summary>
    private static IDisposable? AddTensor(LiveModel model)
    {
        Directory.Delete(model.Path, recursive: true);
        TinyModel.Write(model.Path, [.. TinyModel.Small, new("extra.weight", ElementType.BF16, 8, 8)], shards: 2);
        return null;
    }

    private static void FlipLastByte(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private static void GiveAway(string path)
    {
        using Process chown = Process.Start(new ProcessStartInfo("chown", ["12345", path]) { RedirectStandardError = true })!;
        chown.WaitForExit();
        Skip.If(chown.ExitCode != 0, "giving a file to another user needs root");
    }
}
