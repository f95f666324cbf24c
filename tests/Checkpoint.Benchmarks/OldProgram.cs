namespace ApolloCheckpoint.Benchmarks;

/// <summary>The program that this one replaces. Its handles are pickled calls of torch, so a Python with torch writes and executes them.</summary>
internal sealed class OldProgram
{
    /// <summary>The handles of its own maker, for live files that are there already: arguments are folder, then name and elements.</summary>
    private const string WriteHandles = """
        import functools, os, sys, torch
        live = sys.argv[1]
        names = [file[:-4] for file in os.listdir(live) if file.endswith(".bin") and file != "state.bin"]
        path = lambda name: os.path.join(live, name + ".bin")
        args = lambda name: (path(name), True, os.path.getsize(path(name)) // 2)
        handles = {name: {"handle": (functools.partial(torch.from_file, dtype=torch.bfloat16), args(name))} for name in names}
        torch.save(handles, os.path.join(live, "handles.pt"))
        """;

    private readonly string path;

    private OldProgram(string path) => this.path = path;

    /// <summary>The interpreter: PYTHON3, or Debian's, which is the one with Debian's torch.</summary>
    private static string Python => Environment.GetEnvironmentVariable("PYTHON3") ?? "/usr/bin/python3";

    /// <summary>Finds what eng/setup.sh built.</summary>
    /// <exception cref="InvalidOperationException">It, or a Python with torch, is not here.</exception>
    public static OldProgram Find(string root)
    {
        string path = Path.Combine(root, "artifacts", "old-program", "target", "release", "apollo-checkpoint-seed");
        if (!File.Exists(path))
        {
            throw new InvalidOperationException("the old program is not built here (APOLLO_OLD_PROGRAM names its source)");
        }

        _ = MeasuredRun.Of([Python, "-c", "import torch"]);
        return new OldProgram(path);
    }

    /// <summary>Runs its sync against the live copy of a model.</summary>
    public MeasuredRun Sync(LiveModel model)
    {
        Dictionary<string, string> environment = new() { ["PYTHON3"] = Python };
        string handles = Path.Combine(model.LivePath, "handles.pt");
        if (!File.Exists(handles))
        {
            _ = MeasuredRun.Of([Python, "-c", WriteHandles, model.LivePath]);
        }

        return MeasuredRun.Of([path, "sync", "--model-dir", model.ModelPath, "--handles", handles], environment);
    }
}
