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
        if (failure.Error == CheckpointError.Cancelled)
        {
            Write(writer, "cancelled", failure.Message, failure.ModelState, failure.Details, failure.Next, colour);
            return;
        }

        Write(writer, $"error {failure.ExitCode}", failure.Message, failure.ModelState, failure.Details, failure.Next, colour);
    }

    /// <summary>Writes a failure that nobody foresaw: a defect, so with everything that helps to find it.</summary>
    public static void WriteUnexpected(TextWriter writer, Exception failure, bool colour)
    {
        List<(string, string)> details = [("where", failure.StackTrace?.Trim() ?? "no stack trace")];
        if (failure.InnerException is { } inner)
        {
            details.Add(("cause", $"{inner.GetType().Name}: {inner.Message}"));
        }

        const string Next = "this is a defect of apollo-checkpoint; what was committed is safe. Please report it with the lines above";
        Write(writer, "error 1", $"{failure.GetType().Name}: {failure.Message}", null, details, Next, colour);
    }

    /// <summary>Writes a command line that makes no sense.</summary>
    public static void WriteUsage(TextWriter writer, string message, string next, bool colour) =>
        Write(writer, $"error {(int)ExitCode.Usage}", message, null, [], next, colour);

    private static void Write(
        TextWriter writer,
        string head,
        string message,
        string? model,
        IReadOnlyList<(string Label, string Text)> details,
        string? next,
        bool colour
    )
    {
        Paint paint = new(colour);
        writer.WriteLine($"{paint.Bad(head + ":")} {message}");
        Lines lines = new();
        if (model is not null)
        {
            lines.Add("model", model);
        }

        foreach ((string label, string text) in details)
        {
            lines.Add(label, text);
        }

        if (next is not null)
        {
            lines.Add("next", next);
        }

        lines.WriteTo(writer, paint.Faint);
    }
}
