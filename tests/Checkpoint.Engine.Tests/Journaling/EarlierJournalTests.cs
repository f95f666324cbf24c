using System.Security.Cryptography;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>
/// A model directory that format 1 wrote, kept in tests/fixtures/journal-1: files at version 2, versions 3 and 4 in the journal only. Any
/// later tool must read it, or say that it cannot and touch nothing.
/// </summary>
public sealed class EarlierJournalTests : IDisposable
{
    private static readonly string Fixture = Fixtures.PathOf("journal-1");
    private readonly TempDirectory temp = TempDirectory.InMemory();

    private string Home => temp.File("model");

    public void Dispose() => temp.Dispose();

    /// <summary>Writes the fixture anew: run by hand, once a format version, with APOLLO_WRITE_FIXTURES set to the folder.</summary>
    [SkippableFact]
    public void Fixture_is_written_when_that_is_asked()
    {
        string? target = Environment.GetEnvironmentVariable("APOLLO_WRITE_FIXTURES");
        Skip.If(target is null, "writes a fixture of today's format; only with APOLLO_WRITE_FIXTURES");
        using SyncScenario scenario = new();
        Directory.CreateDirectory(target);
        List<string> digests = [];
        for (int version = 0; version <= 4; version++)
        {
            if (version > 0)
            {
                scenario.Live.Step(0.05, seed: version);
            }

            scenario.Sync(scenario.Request with { FoldEvery = version <= 2 ? 1 : 0 });
            digests.Add(DigestOf(scenario.Live));
        }

        Copy(scenario.Model.Path, Path.Combine(target, "model"));
        File.WriteAllLines(Path.Combine(target, "versions.sha256"), digests);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Every_version_of_a_journal_of_format_1_is_restored(int version)
    {
        Copy(Path.Combine(Fixture, "model"), Home);
        new HistoryEngine(Home).RestoreCopy(version, temp.File("copy"), null, CancellationToken.None);
        Assert.Equal(File.ReadAllLines(Path.Combine(Fixture, "versions.sha256"))[version], DigestOf(temp.File("copy")));
    }

    [Fact]
    public void A_journal_of_format_1_is_folded_and_goes_on()
    {
        Copy(Path.Combine(Fixture, "model"), Home);
        using JournalSession session = JournalSession.Open(
            Disk.Instance,
            ModelDirectory.Open(Disk.Instance, Home),
            new JournalOptions { Codec = () => new ChunkCodec() },
            CancellationToken.None
        );
        Assert.Equal((4, 2), (session.Newest, session.FilesVersion));
        Assert.Null(session.Fold(FoldWay.Auto, CancellationToken.None).Warning);
        Assert.Equal(File.ReadAllLines(Path.Combine(Fixture, "versions.sha256"))[4], DigestOf(Home));
    }

    private static string DigestOf(FakeWeightSource live)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (TinyTensor tensor in TinyModel.Small)
        {
            hash.AppendData(live[tensor.Name]);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string DigestOf(string path)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ModelLayout layout = ModelDirectory.Open(Disk.Instance, path).Layout;
        foreach (TinyTensor tensor in TinyModel.Small)
        {
            Shard shard = layout.Shards.Single(shard => shard.Header.Find(tensor.Name) is not null);
            byte[] file = File.ReadAllBytes(shard.FilePath);
            hash.AppendData(file.AsSpan((int)shard.Header.Find(tensor.Name)!.FileOffset, (int)tensor.ByteLength));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string path in Directory.EnumerateFiles(from).Where(path => !path.EndsWith("reserve", StringComparison.Ordinal)))
        {
            File.Copy(path, Path.Combine(to, Path.GetFileName(path)));
        }

        foreach (string path in Directory.EnumerateDirectories(from))
        {
            Copy(path, Path.Combine(to, Path.GetFileName(path)));
        }
    }
}
