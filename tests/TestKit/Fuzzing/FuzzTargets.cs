using ApolloCheckpoint.TestKit.Fuzzing.Targets;

namespace ApolloCheckpoint.TestKit.Fuzzing;

/// <summary>All fuzz targets by name.</summary>
public static class FuzzTargets
{
    private static readonly Dictionary<string, Func<FuzzTarget>> ByName = new(StringComparer.Ordinal)
    {
        ["safetensors"] = () => new SafetensorsTarget(),
        ["index"] = () => new IndexTarget(),
        ["config"] = () => new ConfigTarget(),
        ["handles-json"] = () => new HandlesJsonTarget(),
        ["handles-folder"] = () => new HandlesFolderTarget(),
        ["state-page"] = () => new StatePageTarget(),
        ["torch-zip"] = () => new TorchTarget("torch-zip", isZip: true),
        ["torch-legacy"] = () => new TorchTarget("torch-legacy", isZip: false),
        ["delta"] = () => new DeltaTarget(),
        ["digests"] = () => new DigestsTarget(),
        ["state"] = () => new StateTarget(),
        ["redo"] = () => new RedoTarget(),
        ["baseline"] = () => new BaselineTarget(),
        ["journal"] = () => new JournalTarget(),
    };

    /// <summary>The names, as tables and command lines use them.</summary>
    public static IReadOnlyCollection<string> Names => ByName.Keys;

    /// <summary>Makes a target; the caller disposes it.</summary>
    public static FuzzTarget Make(string name) => ByName[name]();

    /// <summary>Files that once got through: tests/fixtures/hostile/TARGET/WHAT-IS-WRONG.</summary>
    public static IEnumerable<string> Regressions(string name)
    {
        string folder = Fixtures.PathOf("hostile", name);
        return Directory.Exists(folder) ? Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal) : [];
    }
}
