using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>
/// A failure as people read it at three in the morning: what and where, the state of the model, the details, what to do next.
/// </summary>
internal static class ErrorText
{
    /// <summary>Writes a failure that was foreseen.</summary>
    public static void Write(TextWriter writer, CheckpointException failure, bool colour)
    {
        string head = failure.Error == CheckpointError.Cancelled ? "cancelled" : $"error {failure.ExitCode}";
        Write(writer, head, failure.Message, failure.Lines(), colour);
    }

    /// <summary>Writes a failure that nobody foresaw: a defect, so with everything that helps to find it.</summary>
    public static void WriteUnexpected(TextWriter writer, Exception failure, bool colour)
    {
        List<(string, string)> lines = [("where", failure.StackTrace?.Trim() ?? "no stack trace")];
        if (failure.InnerException is { } inner)
        {
            lines.Add(("cause", $"{inner.GetType().Name}: {inner.Message}"));
        }

        const string Next = "this is a defect of apollo-checkpoint; what was committed is safe. Please report it with the lines above";
        lines.Add(("next", Next));
        Write(writer, "error 1", $"{failure.GetType().Name}: {failure.Message}", lines, colour);
    }

    /// <summary>Writes a command line that makes no sense.</summary>
    public static void WriteUsage(TextWriter writer, string message, string next, bool colour) =>
        Write(writer, $"error {(int)ExitCode.Usage}", message, [("next", next)], colour);

    private static void Write(TextWriter writer, string head, string message, IEnumerable<(string Label, string Text)> details, bool colour)
    {
        Paint paint = new(colour);
        writer.WriteLine($"{paint.Bad(head + ":")} {message}");
        Lines lines = new();
        foreach ((string label, string text) in details)
        {
            lines.Add(label, text);
        }

        lines.WriteTo(writer, paint.Faint);
    }
}
