using System.Globalization;

namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>Every name that this program keeps in a model directory (docs/recovery.md). Pure: nothing is opened here.</summary>
/// <param name="modelPath">The model directory, absolute.</param>
public sealed class StatePaths(string modelPath)
{
    private const string DeltaSuffix = ".delta";

    /// <summary>The model directory.</summary>
    public string Model { get; } = modelPath;

    /// <summary>Our folder in it.</summary>
    public string Folder { get; } = Path.Combine(modelPath, ".apollo");

    /// <summary>Advisory lock of whoever writes anything here; always taken before <see cref="ShardsLock"/>.</summary>
    public string Lock => Path.Combine(Folder, "lock");

    /// <summary>Advisory lock of the shards: exclusive to write them, shared to hold them still.</summary>
    public string ShardsLock => Path.Combine(Folder, "shards.lock");

    /// <summary>The hint that people and hooks read.</summary>
    public string State => Path.Combine(Folder, "state.json");

    /// <summary>What the shards hold, chunk by chunk.</summary>
    public string Digests => Path.Combine(Folder, "digests.bin");

    /// <summary>What the off-site job did last (docs/offsite.md).</summary>
    public string Offsite => Path.Combine(Folder, "offsite.json");

    /// <summary>Advisory lock of the off-site job: one copy of a model at a time.</summary>
    public string OffsiteLock => Path.Combine(Folder, "offsite.lock");

    /// <summary>Space kept back, so that a full disk does not stop fold and prune.</summary>
    public string Reserve => Path.Combine(Folder, "reserve");

    /// <summary>The deltas.</summary>
    public string Journal => Path.Combine(Folder, "journal");

    /// <summary>The delta being written: never a version.</summary>
    public string WritingDelta => Path.Combine(Journal, ".writing" + DeltaSuffix);

    /// <summary>Redo files.</summary>
    public string Redo => Path.Combine(Folder, "redo");

    /// <summary>The redo being written: never applied.</summary>
    public string WritingRedo => Path.Combine(Redo, ".writing.redo");

    /// <summary>The delta of a version: ten digits, so that a listing is in order.</summary>
    public string Delta(long version) => Path.Combine(Journal, version.ToString("D10", CultureInfo.InvariantCulture) + DeltaSuffix);

    /// <summary>The redo of a shard.</summary>
    public string RedoOf(string shardFileName) => Path.Combine(Redo, shardFileName + ".redo");

    /// <summary>The replacement of a shard while it is being written, beside the shard so that a rename is enough.</summary>
    public string FoldingOf(string shardFileName) => Path.Combine(Model, shardFileName + ".folding");

    /// <summary>The version that a name in the journal folder stands for, or null when it is no delta's name.</summary>
    public static long? VersionOf(string fileName)
    {
        bool isDelta = fileName.EndsWith(DeltaSuffix, StringComparison.Ordinal);
        string digits = isDelta ? fileName[..^DeltaSuffix.Length] : "";
        bool isNumber = digits.Length >= 10 && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out _);
        long version = isNumber ? long.Parse(digits, CultureInfo.InvariantCulture) : 0;
        // Only the spelling that Delta() writes: "00000000042" must not be a second name of 42.
        return version > 0 && version.ToString("D10", CultureInfo.InvariantCulture) == digits ? version : null;
    }
}
