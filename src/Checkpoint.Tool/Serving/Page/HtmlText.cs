using System.Globalization;
using System.Text.Encodings.Web;

namespace ApolloCheckpoint.Tool.Serving.Page;

/// <summary>Small pieces of the page. Everything that is not ours is encoded.</summary>
internal static class HtmlText
{
    /// <summary>A text, encoded.</summary>
    public static string Encode(string text) => HtmlEncoder.Default.Encode(text);

    /// <summary>A paragraph.</summary>
    public static string Paragraph(string text) => $"<p class=\"quiet\">{Encode(text)}</p>";

    /// <summary>A number of an SVG: at most two digits behind the point, always with a point.</summary>
    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>A share as people read it: "0.76 %".</summary>
    public static string Share(double share) => Rendering.Quantity.Percent((long)Math.Round(share * 1e9), 1_000_000_000);

    /// <summary>A time: local for people, UTC for programs; the script adds how long ago.</summary>
    /// <param name="utc">The time.</param>
    /// <param name="time">The clock, for the local zone.</param>
    public static string Time(DateTime utc, TimeProvider time)
    {
        DateTimeOffset local = TimeZoneInfo.ConvertTime(
            new DateTimeOffset(DateTime.SpecifyKind(utc, DateTimeKind.Utc)),
            time.LocalTimeZone
        );
        bool isToday = local.Date == time.GetLocalNow().Date;
        string text = local.ToString(isToday ? "HH:mm:ss" : "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        return $"<time datetime=\"{utc.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}\">{text}</time>";
    }

    /// <summary>How long something took or will take, in the two largest units: "3 m 10 s", "2 h 05 m", "4 days".</summary>
    public static string Span(TimeSpan span) =>
        span.TotalHours >= 48 ? $"{(int)span.TotalDays} days"
        : span.TotalSeconds >= 10 && span.TotalSeconds < 60 ? $"{(int)span.TotalSeconds} s"
        : Rendering.Quantity.Duration(span);
}
