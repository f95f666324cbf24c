using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Tests.Journaling;
using ApolloCheckpoint.Engine.Verification;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>
/// A model on a disk that forgets, something that is about to be done to it, what has been promised so far, and what every crash of it
/// must be recovered to.
/// </summary>
internal sealed class CrashStage
{
    internal const string Home = "/model";

    internal CrashStage(JournaledModel model)
    {
        Model = model;
        Versions.AddRange(model.Versions);
        Promised = FilesPromised = OldestKept = 0;
        Recover = disk => On(disk).OpenSession().Dispose();
        Check = CheckHistory;
        Act = () => { };
    }

    internal JournaledModel Model { get; }

    internal CrashingDisk Disk => (CrashingDisk)Model.Disk;

    /// <summary>The bytes of every version that may be found, by number; what is being made is noted before it is begun.</summary>
    internal List<byte[][]> Versions { get; } = [];

    /// <summary>The newest version that somebody was told of: no crash may take it.</summary>
    internal long Promised { get; set; }

    /// <summary>The version that somebody was told the files hold.</summary>
    internal long FilesPromised { get; set; }

    /// <summary>History must reach back at least to here.</summary>
    internal long OldestKept { get; set; }

    /// <summary>What is interrupted.</summary>
    internal Action Act { get; set; }

    /// <summary>What the next command does first.</summary>
    internal Action<CrashingDisk> Recover { get; set; }

    /// <summary>Throws unless the disk is what it may be. It may write to it.</summary>
    internal Action<CrashingDisk> Check { get; set; }

    /// <summary>The same model on a disk that a crash left.</summary>
    internal JournaledModel On(CrashingDisk disk) => new(disk, Home) { Options = OptionsOn(disk) };

    /// <summary>The history commands on a disk.</summary>
    internal HistoryEngine History(CrashingDisk disk) => new(Home, options: OptionsOn(disk), disk: disk);

    /// <summary>
    /// The next opening finds exactly one version, not less than was promised, with the right digests and every older version within
    /// reach; and a fold then ends with exactly the newest.
    /// </summary>
    internal void CheckHistory(CrashingDisk disk)
    {
        JournaledModel after = On(disk);
        using (JournalSession session = after.OpenSession())
        {
            Assert.InRange(session.Newest, Promised, Versions.Count - 1);
            Assert.InRange(session.FilesVersion, Math.Min(FilesPromised, session.Newest), session.Newest);
            Assert.InRange(session.Journal.First?.Parent ?? session.Newest, 0, Math.Max(OldestKept, 0));
            RequireVersion(session.FilesVersion, after.FileChunks(), "the files");
            RequireVersion(session.Newest, after.BaselineChunks(session), "the baseline");
            RequireDigests(session);
            RequireHistory(session, after.FileChunks());
            Assert.Null(session.Fold(FoldWay.Auto, CancellationToken.None).Warning);
            RequireVersion(session.Newest, after.FileChunks(), "the folded files");
        }

        Assert.Empty(disk.List(after.Paths.Redo));
        Assert.DoesNotContain(disk.List(Home), name => name.EndsWith(".folding", StringComparison.Ordinal));
        VerifyReport verified = ShardVerifier.Run(disk, after.Open(), Model.Options, CancellationToken.None);
        Assert.Empty(verified.Damage);
    }

    /// <summary>Every version from the oldest on can be made from what is there, byte for byte.</summary>
    internal void RequireHistory(JournalSession session, byte[][] files)
    {
        using IChunkCodec codec = session.Options.Codec();
        for (long version = session.Journal.First?.Parent ?? session.Newest; version <= session.Newest; version++)
        {
            using VersionWalk walk = new(session, version);
            byte[][] made = [.. files.Select(bytes => bytes.ToArray())];
            for (int ordinal = 0; ordinal < made.Length; ordinal++)
            {
                walk.Bring(session.Layout[ordinal], made[ordinal], codec);
            }

            RequireVersion(version, made, "what is restored");
        }
    }

    /// <summary>Whether chunks are those of a version.</summary>
    internal static bool AreSame(byte[][] one, byte[][] other) =>
        one.Zip(other).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));

    internal void RequireVersion(long version, byte[][] chunks, string what) =>
        Assert.True(AreSame(Versions[(int)version], chunks), $"{what} should be version {version}, and is not");

    /// <summary>
    /// The same disk makes the same bytes, whichever thread is first, so that a seed has one number of images: time and lineage come from
    /// what the disk holds when they are asked for, and a disk that holds a history never again holds what that history began with.
    /// </summary>
    internal static JournalOptions Reproducible(JournalOptions options, CrashingDisk disk) =>
        options with
        {
            Time = new DiskClock(disk),
            Lineage = () => new Digest128((ulong)(disk.ContentHash >> 64), (ulong)disk.ContentHash),
        };

    private JournalOptions OptionsOn(CrashingDisk disk) => Reproducible(Model.Options, disk);

    private void RequireDigests(JournalSession session)
    {
        byte[][] files = Versions[(int)session.FilesVersion];
        byte[][] newest = Versions[(int)session.Newest];
        for (int ordinal = 0; ordinal < files.Length; ordinal++)
        {
            Chunk chunk = session.Layout[ordinal];
            Assert.True(session.NewestDigest(ordinal) == Digest128.Of(newest[ordinal]), $"newest digest of {chunk.Tensor.Name}");
            Assert.True(session.Table.Digests[ordinal] == Digest128.Of(files[ordinal]), $"digest of {chunk.Tensor.Name}");
        }
    }
}
