namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>What an interpreter says of itself (<c>host.py describe</c>).</summary>
/// <param name="Executable">sys.executable.</param>
/// <param name="Version">Major, minor, micro.</param>
/// <param name="Prefix">sys.prefix: of a venv, the venv.</param>
/// <param name="BasePrefix">sys.base_prefix: of a venv, the Python below it.</param>
/// <param name="Path">sys.path without the working directory.</param>
/// <param name="Torch">Whether it finds a torch.</param>
/// <param name="Config">Some of sysconfig's variables, empty texts for those it lacks.</param>
internal sealed record PythonDescription(
    string Executable,
    string Version,
    string Prefix,
    string BasePrefix,
    IReadOnlyList<string> Path,
    bool Torch,
    IReadOnlyDictionary<string, string> Config
);
