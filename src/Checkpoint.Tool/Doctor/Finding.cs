namespace ApolloCheckpoint.Tool.Doctor;

/// <summary>One line of <c>doctor</c>: what was looked at, what was found, and the command that mends it.</summary>
/// <param name="Level">How bad it is.</param>
/// <param name="Subject">What was looked at: "model", "handles".</param>
/// <param name="Text">What was found.</param>
/// <param name="Next">What mends it, or null.</param>
internal sealed record Finding(Level Level, string Subject, string Text, string? Next = null);
