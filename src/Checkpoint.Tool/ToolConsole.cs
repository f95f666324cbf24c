namespace ApolloCheckpoint.Tool;

/// <summary>
/// Where a verb speaks: the report goes to <see cref="Out"/>, everything else (log, progress, errors) to <see cref="Error"/>. One
/// object instead of <see cref="Console"/>, so that tests read what was said, with a clock and a time zone of their own.
/// </summary>
internal sealed record ToolConsole
{
    /// <summary>The report.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Log, progress, errors.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Whether the report may be coloured: a terminal, and NO_COLOR is not set.</summary>
    public bool ColourOut { get; init; }

    /// <summary>Whether errors may be coloured.</summary>
    public bool ColourError { get; init; }

    /// <summary>Whether progress may be drawn: standard error is a terminal that understands cursor movement.</summary>
    public bool DrawProgress { get; init; }

    /// <summary>The clock of every time printed.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The console of this process.</summary>
    public static ToolConsole ForProcess()
    {
        bool colour = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        bool dumb = Environment.GetEnvironmentVariable("TERM") is "dumb";
        bool errorIsTerminal = !Console.IsErrorRedirected && !dumb;
        return new ToolConsole
        {
            Out = Console.Out,
            Error = Console.Error,
            ColourOut = colour && !dumb && !Console.IsOutputRedirected,
            ColourError = colour && errorIsTerminal,
            DrawProgress = errorIsTerminal,
        };
    }
}
