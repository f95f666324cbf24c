namespace ApolloCheckpoint.Service;

/// <summary>How a service listens and who may use it.</summary>
/// <param name="Name">Its name in telemetry and logs: "engine", "trigger", "offsite".</param>
/// <param name="DefaultUrl">Where it listens when neither <paramref name="Url"/> nor ASPNETCORE_URLS says it.</param>
/// <param name="Url">Where to listen: http on a loopback address, or http://unix:/path; null for the default.</param>
/// <param name="TokenFile">The token's file, or null: <see cref="ServiceToken.DefaultPath"/>.</param>
/// <param name="IsOpen">Whether everybody on this machine may change something, without a token.</param>
public sealed record ServiceOptions(string Name, string DefaultUrl, string? Url = null, string? TokenFile = null, bool IsOpen = false)
{
    /// <summary>The address that it will listen on.</summary>
    public string Address =>
        Url ?? (Environment.GetEnvironmentVariable("ASPNETCORE_URLS") is { Length: > 0 } fromHost ? fromHost : DefaultUrl);
}
