using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>A file, folder or symbolic link of the model, whatever its names are.</summary>
internal sealed class CrashNode(int id, FileEntryKind kind)
{
    internal int Id => id;

    internal FileEntryKind Kind => kind;

    internal int Mode { get; init; } = 0x1A4;

    internal long ModifiedNs { get; set; }

    /// <summary>Where a symbolic link leads.</summary>
    internal string Target { get; init; } = "";

    /// <summary>The bytes of a file.</summary>
    internal CrashContent Content { get; init; } = new(new CrashBytes([], 0, 0));

    /// <summary>The names in a folder as a reader sees them.</summary>
    internal Dictionary<string, CrashNode> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>The names that a crash cannot take.</summary>
    internal Dictionary<string, CrashNode> DurableNames { get; } = new(StringComparer.Ordinal);

    /// <summary>Byte ranges that cannot be read.</summary>
    internal List<(long Begin, long End)> BadRanges { get; } = [];

    /// <summary>Holders of flock: true for a shared one. Dies with the process, so no image has any.</summary>
    internal List<bool> Locks { get; } = [];
}
