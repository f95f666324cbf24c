using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.Tool.Tests.Processes;
using Microsoft.Win32.SafeHandles;
using Xunit.Abstractions;

namespace ApolloCheckpoint.Tool.Tests.Faults;

/// <summary>A model of 200 MB, synced by the real tool and killed at random moments: seconds in a test run, APOLLO_SOAK minutes in a soak.</summary>
[Trait("Ring", "crash")]
public sealed class SigkillTests(ITestOutputHelper output) : IDisposable
{
    private const int Killed = 137;
    private readonly TempDirectory temp = TempDirectory.InMemory();
    private readonly Random random = new(17);

    private string Home => temp.File("model");

    private string Live => temp.File("live");

    private static TimeSpan Duration =>
        double.TryParse(
            Environment.GetEnvironmentVariable("APOLLO_SOAK"),
            NumberStyles.Float,
            CultureInfo.InvariantCulture,
            out double minutes
        )
            ? TimeSpan.FromMinutes(minutes)
            : TimeSpan.FromSeconds(20);

    public void Dispose() => temp.Dispose();

    [Fact]
    public void Random_kills_of_a_sync_of_200_megabytes_leave_the_old_or_the_new_model()
    {
        TinyModel.Write(Home, [.. Enumerable.Range(0, 8).Select(i => new TinyTensor($"t{i}", ElementType.BF16, 3125, 4000))], shards: 4);
        Directory.CreateDirectory(Live);
        foreach (string path in Directory.EnumerateFiles(Home))
        {
            File.Copy(path, Path.Combine(Live, Path.GetFileName(path)));
        }

        Assert.Equal(0, ToolProcess.Run(Sync("auto")).ExitCode);
        TimeSpan longest = TimeSpan.FromSeconds(1);
        int kills = 0;
        int news = 0;
        long begin = Stopwatch.GetTimestamp();
        for (int round = 0; round < 3 || Stopwatch.GetElapsedTime(begin) < Duration; round++)
        {
            Digest128 before = Digest(Home);
            Train(isDense: round % 3 == 2);
            long start = Stopwatch.GetTimestamp();
            using (ToolProcess sync = ToolProcess.Start(Sync(round % 2 == 0 ? "patch" : "replace")))
            {
                // Every fourth runs to its end: it tells how long that takes, and the next one changes what it made.
                if (round % 4 != 0)
                {
                    Thread.Sleep(longest * random.NextDouble());
                    sync.Signal("KILL");
                }

                bool isKilled = sync.WaitForEnd().ExitCode == Killed;
                kills += isKilled ? 1 : 0;
                longest = isKilled ? longest : Stopwatch.GetElapsedTime(start);
            }

            news += Judge(before, Digest(Live)) ? 1 : 0;
        }

        Assert.Empty(new HistoryEngine(Home).Verify(default).Damage);
        output.WriteLine(
            $"{kills} syncs of 200 MB killed in {Stopwatch.GetElapsedTime(begin).TotalSeconds:F0} s; new model {news} times; seed 17"
        );
    }

    /// <returns>Whether the new version exists.</returns>
    private bool Judge(Digest128 before, Digest128 after)
    {
        JournalOptions options = new() { Codec = () => new ChunkCodec() };
        using JournalSession session = JournalSession.Open(Disk.Instance, ModelDirectory.Open(Disk.Instance, Home), options, default);
        Digest128 files = Digest(Home);
        Assert.True(files == before || files == after, "the files are neither the old nor the new model");
        Assert.Null(session.Fold(FoldWay.Auto, default).Warning);
        Digest128 folded = Digest(Home);
        Assert.True(folded == before || folded == after, "the folded files are neither the old nor the new model");
        Assert.True(folded == files || files == before, "a fold went back");
        return folded == after;
    }

    private string[] Sync(string way) => ["sync", "--model-dir", Home, "--source", "safetensors", "--handles", Live, "--fold-way", way];

    private void Train(bool isDense)
    {
        byte[] element = new byte[2];
        foreach (Shard shard in ModelDirectory.Open(Disk.Instance, Live).Layout.Shards)
        {
            using SafeFileHandle file = File.OpenHandle(shard.FilePath, FileMode.Open, FileAccess.ReadWrite);
            long data = shard.Header.Tensors.Min(tensor => tensor.FileOffset);
            int changes = isDense ? 12_000 : 300;
            for (int i = 0; i < changes; i++)
            {
                long offset = data + random.NextInt64((shard.Length - data) / 2) * 2;
                RandomAccess.Read(file, element, offset);
                element[0] ^= 1;
                RandomAccess.Write(file, element, offset);
            }
        }
    }

    private static Digest128 Digest(string folder)
    {
        XxHash128 hash = new();
        foreach (string path in Directory.EnumerateFiles(folder, "*.safetensors").Order(StringComparer.Ordinal))
        {
            using FileStream file = File.OpenRead(path);
            hash.Append(file);
        }

        return Digest128.Of(hash);
    }
}
