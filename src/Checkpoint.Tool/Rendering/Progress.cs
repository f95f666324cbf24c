using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>Shows the progress of an operation where somebody looks at it: on a terminal.</summary>
internal static class Progress
{
    /// <summary>Runs the operation with bars on a terminal, silently in a pipe.</summary>
    public static T Show<T>(ToolContext context, Func<IProgressSink, T> operation)
    {
        // A pipe never loads the drawing library: start-up is part of a sync that finds nothing.
        return context.Console.DrawProgress ? Draw(operation) : operation(NoProgress.Instance);
    }

    private static T Draw<T>(Func<IProgressSink, T> operation)
    {
        using TerminalProgress progress = new();
        return operation(progress);
    }
}
