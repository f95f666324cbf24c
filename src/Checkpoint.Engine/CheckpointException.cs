namespace ApolloCheckpoint.Engine;

/// <summary>
/// A failure the user can understand: what happened, where, in what state the model is, and what to do next. What it quotes may come
/// from a hostile file, so message and details are plain text (<see cref="PlainText"/>) whoever made them.
/// </summary>
/// <param name="error">The place it comes from; decides the exit code.</param>
/// <param name="message">What happened and where, one sentence.</param>
/// <param name="next">What to do next, one sentence or command; null when there is nothing to do.</param>
/// <param name="inner">The exception below, if any.</param>
public class CheckpointException(CheckpointError error, string message, string? next = null, Exception? inner = null)
    : Exception(PlainText.Of(message), inner)
{
    /// <summary>The place it comes from.</summary>
    public CheckpointError Error { get; } = error;

    /// <summary>The exit code of the tool: 10 to 20 as in docs/exit-codes.md.</summary>
    public int ExitCode => (int)Error / 100;

    /// <summary>What to do next, or null.</summary>
    public string? Next { get; } = next;

    /// <summary>
    /// The state the model is in, for example "/models/m is unchanged (version 142)"; set by the outermost operation that knows it.
    /// </summary>
    public string? ModelState { get; set; }

    /// <summary>Aligned lines under the message: a short label and a text. Never null, often empty.</summary>
    public IReadOnlyList<(string Label, string Text)> Details
    {
        get;
        init => field = [.. value.Select(row => (PlainText.Of(row.Label), PlainText.Of(row.Text)))];
    } = [];

    /// <summary>The aligned lines under the message, in their order: the model's state, the details, what to do next.</summary>
    public IEnumerable<(string Label, string Text)> Lines()
    {
        if (ModelState is not null)
        {
            yield return ("model", ModelState);
        }

        foreach ((string Label, string Text) line in Details)
        {
            yield return line;
        }

        if (Next is not null)
        {
            yield return ("next", Next);
        }
    }
}
