namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>Terminal colours, or nothing: colour helps and is never needed.</summary>
/// <param name="enabled">Whether the stream is a terminal and the user does not mind.</param>
internal readonly struct Paint(bool enabled)
{
    /// <summary>The answer.</summary>
    public string Strong(string text) => Wrap(text, "1");

    /// <summary>Labels and side remarks.</summary>
    public string Faint(string text) => Wrap(text, "2");

    /// <summary>Done, in order.</summary>
    public string Good(string text) => Wrap(text, "32");

    /// <summary>Works, but should be looked at.</summary>
    public string Warn(string text) => Wrap(text, "33");

    /// <summary>Failed.</summary>
    public string Bad(string text) => Wrap(text, "1;31");

    private string Wrap(string text, string code) => enabled ? $"\e[{code}m{text}\e[0m" : text;
}
