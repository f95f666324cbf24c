using System.Globalization;
using System.Text.RegularExpressions;

namespace ApolloCheckpoint.Rsync;

/// <summary>Names of snapshots: the time in UTC, digits and two letters, sorted by time; safe as a word anywhere.</summary>
internal static partial class SnapshotName
{
    private const string Format = "yyyyMMdd'T'HHmmss'Z'";

    /// <summary>The name of a snapshot made now.</summary>
    internal static string Of(DateTimeOffset now) => now.ToUniversalTime().ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>The name in what <c>readlink current</c> says, or null when there is no copy yet, or the link is not ours.</summary>
    internal static string? FromLink(string link) => Pattern().Match(link.Trim()) is { Success: true } match ? match.Groups[1].Value : null;

    [GeneratedRegex(@"\Asnapshots/([0-9]{8}T[0-9]{6}Z)/?\z")]
    private static partial Regex Pattern();
}
