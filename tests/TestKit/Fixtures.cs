namespace ApolloCheckpoint.TestKit;

/// <summary>The files under tests/fixtures; each folder's README says what they are and where they come from.</summary>
public static class Fixtures
{
    /// <summary>tests/fixtures.</summary>
    public static string Root { get; } = Repository.PathOf("tests", "fixtures");

    /// <summary>Layouts recorded from a running vLLM, one rank.</summary>
    public static string Layouts => PathOf("layouts");

    /// <summary>Layouts of several ranks.</summary>
    public static string ParallelLayouts => PathOf("layouts-parallel");

    /// <summary>Tiny model directories.</summary>
    public static string Models => PathOf("models");

    /// <summary>Handle files and torch archives, good and hostile.</summary>
    public static string Handles => PathOf("handles");

    /// <summary>Tensors of real training, before and after.</summary>
    public static string Deltas => PathOf("deltas");

    /// <summary>A path under tests/fixtures.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);
}
