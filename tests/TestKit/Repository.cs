namespace ApolloCheckpoint.TestKit;

/// <summary>Where the repository lies, found from the test assembly upward, so that tests run from any working directory.</summary>
public static class Repository
{
    /// <summary>The folder that holds ApolloCheckpoint.sln.</summary>
    public static string Root { get; } = Find();

    /// <summary>A path under the root.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ApolloCheckpoint.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds ApolloCheckpoint.sln");
    }
}
