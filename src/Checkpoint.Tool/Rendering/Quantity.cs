using System.Globalization;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>Numbers as users read them: SI sizes, short durations, percentages that are never rounded to a lie.</summary>
internal static class Quantity
{
    private static readonly string[] SizeUnits = ["B", "kB", "MB", "GB", "TB", "PB"];

    /// <summary>A size in SI units, three digits at most before the point: "512 B", "8.9 GB", "412 MB".</summary>
    public static string Size(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (Math.Abs(value) >= 999.5 && unit < SizeUnits.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        string digits = unit == 0 || Math.Abs(value) >= 99.95 ? "F0" : "F1";
        return value.ToString(digits, CultureInfo.InvariantCulture) + " " + SizeUnits[unit];
    }

    /// <summary>A part and a whole, the unit named once where it is the same: "38.1 / 54.0 GB", "412 MB of 54.0 GB".</summary>
    public static string SizeOf(long part, long whole, string between)
    {
        string first = Size(part);
        string second = Size(whole);
        string unit = second[second.LastIndexOf(' ')..];
        return between == "/" && first.EndsWith(unit, StringComparison.Ordinal)
            ? $"{first[..^unit.Length]} / {second}"
            : $"{first} {between} {second}";
    }

    /// <summary>A count with its thousands apart: "88 210".</summary>
    public static string Count(long value) => value.ToString("N0", Thousands);

    /// <summary>"1 tensor", "2 tensors".</summary>
    public static string Count(long value, string singular) => $"{Count(value)} {singular}{(value == 1 ? "" : "s")}";

    /// <summary>A share: "0 %" and "100 %" only when it is exactly that.</summary>
    public static string Percent(long part, long whole)
    {
        if (part == 0 || whole == 0)
        {
            return "0 %";
        }

        double value = 100.0 * part / whole;
        string text = value switch
        {
            _ when part == whole => "100",
            < 0.001 => "< 0.001",
            < 0.1 => value.ToString("F3", CultureInfo.InvariantCulture),
            < 10 => value.ToString("F2", CultureInfo.InvariantCulture),
            _ => Math.Min(value, 99.9).ToString("F1", CultureInfo.InvariantCulture),
        };
        return text + " %";
    }

    /// <summary>A duration: "0.12 s", "4.2 s", "3 m 10 s", "2 h 05 m".</summary>
    public static string Duration(TimeSpan elapsed)
    {
        double seconds = elapsed.TotalSeconds;
        return seconds switch
        {
            < 0.995 => seconds.ToString("F2", CultureInfo.InvariantCulture) + " s",
            < 59.95 => seconds.ToString("F1", CultureInfo.InvariantCulture) + " s",
            < 3600 => $"{(int)elapsed.TotalMinutes} m {elapsed.Seconds:D2} s",
            _ => $"{(int)elapsed.TotalHours} h {elapsed.Minutes:D2} m",
        };
    }

    private static readonly NumberFormatInfo Thousands = new() { NumberGroupSeparator = " ", NumberDecimalDigits = 0 };
}
