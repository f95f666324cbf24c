using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.TestKit;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Tool.Tests.Processes;

/// <summary>Everything that can be wrong with model and handles: its exit code, its text, and that nothing is lost.</summary>
public class BadInputTests
{
    private static readonly TinyTensor[] OtherShape = [.. TinyModel.Small.Take(2), new("model.norm.weight", ElementType.F32, 32)];
    private static readonly TinyTensor[] OtherType = [.. TinyModel.Small.Take(2), new("model.norm.weight", ElementType.I32, 64)];
    private static readonly TinyTensor[] OneLess = [.. TinyModel.Small.Take(2)];

    [Fact]
    public async Task Each_is_refused_with_its_code_and_what_to_do_next()
    {
        (string Name, int ExitCode, Action<LiveModel> Spoil)[] cases =
        [
            ("truncated shard", 10, model => Shorten(Shard(model))),
            ("index names a missing file", 10, model => File.Delete(Shard(model))),
            ("index names a file outside", 10, model => Edit(Index(model), "model-00001-of", "../model-00001-of")),
            ("no index and several files", 10, model => File.Delete(Index(model))),
            ("shard is a link", 10, model => Link(Shard(model))),
            ("live tensor of another shape", 12, model => Remake(model, OtherShape)),
            ("live tensor of another type", 12, model => Remake(model, OtherType)),
            ("live tensor without counterpart", 12, model => Remake(model, OneLess)),
            ("handles writable by the group", 11, model => Allow(Rank(model), UnixFileMode.GroupWrite)),
            ("handles folder writable by everybody", 11, model => Allow(model.Handles, UnixFileMode.OtherWrite)),
            ("handles that are no JSON", 11, model => File.WriteAllText(Rank(model), "{")),
            ("dead producer", 11, model => Replace(Rank(model), "\"pid\": \\d+", "\"pid\": 4194305")),
            ("producer of older files", 11, model => Replace(Rank(model), "\"pid\": \\d+,|\"loaded_root\": null", Stale)),
        ];
        StringBuilder said = new();
        foreach ((string name, int exitCode, Action<LiveModel> spoil) in cases)
        {
            using LiveModel model = new();
            if (name == "producer of older files")
            {
                model.Train();
                model.Run("sync");
            }

            model.Train();
            spoil(model);
            string before = model.Digest;
            ToolRun run = model.Run("sync");
            said.Append(CultureInfo.InvariantCulture, $"# {name}\n{run.Error.Replace(Path.GetDirectoryName(model.Path)!, "")}\n");
            Assert.Equal((name, exitCode, ""), (name, run.ExitCode, run.Out));
            Assert.Equal((name, before), (name, model.Digest));
        }

        await Verify(said.ToString());
    }

    /// <summary>A producer that does not say who it is, and loaded another version.</summary>
    private static string Stale(Match match) =>
        match.Value.StartsWith("\"pid", StringComparison.Ordinal) ? "" : $"\"loaded_root\": \"{new string('0', 32)}\"";

    private static string Shard(LiveModel model) => Path.Combine(model.Path, "model-00001-of-00002.safetensors");

    private static string Index(LiveModel model) => Path.Combine(model.Path, ModelDirectory.IndexName);

    private static string Rank(LiveModel model) => Path.Combine(model.Handles, "weights.rank0.json");

    private static void Shorten(string path)
    {
        using FileStream file = new(path, FileMode.Open);
        file.SetLength(file.Length - 2);
    }

    private static void Link(string path)
    {
        File.Move(path, path + ".real");
        File.CreateSymbolicLink(path, path + ".real");
    }

    /// <summary>Another model in the place of the one that is live.</summary>
    private static void Remake(LiveModel model, TinyTensor[] tensors)
    {
        Directory.Delete(model.Path, recursive: true);
        TinyModel.Write(model.Path, tensors, shards: 2);
    }

    private static void Allow(string path, UnixFileMode more) => File.SetUnixFileMode(path, File.GetUnixFileMode(path) | more);

    private static void Edit(string path, string from, string to) => File.WriteAllText(path, File.ReadAllText(path).Replace(from, to));

    private static void Replace(string path, string pattern, string to) => Replace(path, pattern, _ => to);

    private static void Replace(string path, string pattern, MatchEvaluator to) =>
        File.WriteAllText(path, Regex.Replace(File.ReadAllText(path), pattern, to));
}
