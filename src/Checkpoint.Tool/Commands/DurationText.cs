using System.Globalization;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary>Durations as users type them: "500ms", "5s", "10m", "2h", "7d".</summary>
internal static class DurationText
{
    private static readonly (string Suffix, double Seconds)[] Units =
    [
        ("ms", 0.001),
        ("s", 1),
        ("m", 60),
        ("h", 3600),
        ("d", 86400),
        ("w", 7 * 86400),
    ];

    /// <summary>What a message says is wanted.</summary>
    public const string Wanted = "a duration such as 500ms, 5s, 10m, 2h or 7d";

    /// <summary>Reads a positive duration; false when it is none.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        foreach ((string suffix, double seconds) in Units)
        {
            if (
                text.EndsWith(suffix, StringComparison.Ordinal)
                && double.TryParse(text[..^suffix.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)
                && value > 0
                && value * seconds < TimeSpan.MaxValue.TotalSeconds / 2
            )
            {
                duration = TimeSpan.FromSeconds(value * seconds);
                return true;
            }
        }

        return false;
    }
}
