namespace ApolloCheckpoint.Service;

/// <summary>
/// Where the services keep what is theirs (the token, the history of runs): a folder of this user, never the model directory, which is
/// shipped off-site. The first that is set of: <c>APOLLO_STATE_DIR</c>; <c>STATE_DIRECTORY</c>, which systemd sets for a unit with
/// <c>StateDirectory=</c>; <c>XDG_STATE_HOME</c>/apollo-checkpoint; ~/.local/state/apollo-checkpoint.
/// </summary>
public static class ServiceFolder
{
    private const string Name = "apollo-checkpoint";

    /// <summary>The folder; it may not exist yet.</summary>
    public static string Default =>
        Variable("APOLLO_STATE_DIR")
        ?? Variable("STATE_DIRECTORY")?.Split(':')[0]
        ?? Path.Combine(Variable("XDG_STATE_HOME") ?? Path.Combine(Home, ".local", "state"), Name);

    /// <summary>Makes a folder that only this user can enter, unless it is there.</summary>
    public static void Create(string folder) =>
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    private static string Home => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
