using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>Why a run failed: the same fields as the problem details of a request.</summary>
/// <param name="ExitCode">The exit code that the command line would have had.</param>
/// <param name="Code">The name of the error.</param>
/// <param name="Message">What happened and where.</param>
/// <param name="Model">The state of the model, or null.</param>
/// <param name="Next">What to do next, or null.</param>
internal sealed record RunError(int ExitCode, string Code, string Message, string? Model, string? Next)
{
    /// <summary>Of a failure.</summary>
    public static RunError Of(CheckpointException failure) =>
        new(failure.ExitCode, failure.Error.ToString(), failure.Message, failure.ModelState, failure.Next);
}
