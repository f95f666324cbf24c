using System.Text.RegularExpressions;

namespace ApolloCheckpoint.Rsync;

/// <summary>
/// Where the copy goes: <c>[user@]host:path</c>, or a local path that begins with "/" (a mounted disk, a test). Validated, because the
/// host becomes a word of the ssh command line and the path one of a shell on the far side.
/// </summary>
/// <param name="Host">"user@host" or "host"; null for a local path.</param>
/// <param name="Path">The folder of this model on the far side, without trailing slash; relative paths are relative to the login folder.</param>
public sealed partial record RsyncTarget(string? Host, string Path)
{
    /// <summary>The target of the old program's users: the host <c>moria</c>, one folder a model.</summary>
    public static RsyncTarget Default(string modelDirectory) =>
        new(
            "moria",
            "models/" + System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(modelDirectory)))
        );

    /// <summary>Parses the text of <c>--target</c>.</summary>
    /// <returns>The target, or null with the reason.</returns>
    public static RsyncTarget? TryParse(string text, out string problem)
    {
        problem = "";
        if (text.StartsWith('/'))
        {
            return Checked(null, text, ref problem);
        }

        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0)
        {
            problem = $"\"{text}\" is neither HOST:PATH nor an absolute path";
            return null;
        }

        string host = text[..colon];
        if (!HostPattern().IsMatch(host))
        {
            problem = $"\"{host}\" is not a host name, or user@host";
            return null;
        }

        return Checked(host, text[(colon + 1)..], ref problem);
    }

    /// <summary>As people write it.</summary>
    public override string ToString() => Host is null ? Path : $"{Host}:{Path}";

    private static RsyncTarget? Checked(string? host, string path, ref string problem)
    {
        string trimmed = path.TrimEnd('/');
        if (trimmed.Length == 0 || trimmed.Any(char.IsControl) || trimmed.StartsWith('-') || trimmed.Split('/').Contains(".."))
        {
            problem = $"\"{path}\" is not a usable folder: not empty, no \"..\", no control characters, not beginning with \"-\"";
            return null;
        }

        return new RsyncTarget(host, trimmed);
    }

    [GeneratedRegex(@"\A([A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9_][A-Za-z0-9_.-]*\z")]
    private static partial Regex HostPattern();
}
