using ApolloCheckpoint.Tool.Doctor;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>The lines of <c>doctor</c>, one by one as they are found.</summary>
internal static class DoctorText
{
    /// <summary>Writes one line.</summary>
    public static void Write(TextWriter writer, Finding finding, bool colour)
    {
        Paint paint = new(colour);
        string level = finding.Level switch
        {
            Level.Ok => paint.Good("ok  "),
            Level.Warn => paint.Warn("warn"),
            _ => paint.Bad("fail"),
        };
        string next = finding.Next is null ? "" : $"   {paint.Faint("next:")} {finding.Next}";
        writer.WriteLine($" {level}  {finding.Subject, -9} {finding.Text}{next}");
    }
}
