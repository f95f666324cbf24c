using ApolloCheckpoint.Engine;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ApolloCheckpoint.Service;

/// <summary>
/// A failure as problem details (RFC 9457): <c>type</c> is <c>urn:apollo-checkpoint:error:NUMBER</c>, <c>title</c> the name of the
/// error, <c>detail</c> what happened; beside them <c>exitCode</c>, <c>code</c>, <c>model</c> (the state it is in), <c>next</c>.
/// </summary>
public static class ServiceProblem
{
    /// <summary>The answer for a failure.</summary>
    /// <param name="failure">The failure.</param>
    /// <param name="status">HTTP status, or null: the one of the failure's exit code.</param>
    public static ProblemHttpResult Of(CheckpointException failure, int? status = null)
    {
        ArgumentNullException.ThrowIfNull(failure);
        Dictionary<string, object?> more = new()
        {
            ["exitCode"] = failure.ExitCode,
            ["code"] = failure.Error.ToString(),
            ["model"] = failure.ModelState,
            ["next"] = failure.Next,
        };
        return TypedResults.Problem(
            failure.Message,
            statusCode: status ?? StatusOf(failure),
            title: failure.Error.ToString(),
            type: $"urn:apollo-checkpoint:error:{(int)failure.Error}",
            extensions: more
        );
    }

    /// <summary>Turns the failures of what comes behind it into answers.</summary>
    public static async Task CatchAsync(HttpContext context, RequestDelegate next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        try
        {
            await next(context);
        }
        catch (CheckpointException failure) when (!context.Response.HasStarted)
        {
            await Of(failure).ExecuteAsync(context);
        }
    }

    /// <summary>What the caller asked for (4xx), what somebody else must mend first (5xx).</summary>
    private static int StatusOf(CheckpointException failure) =>
        failure.Error switch
        {
            CheckpointError.Usage => StatusCodes.Status400BadRequest,
            CheckpointError.RunUnknown or CheckpointError.VersionUnknown or CheckpointError.ModelNotFound => StatusCodes.Status404NotFound,
            CheckpointError.Busy or CheckpointError.PlanMismatch => StatusCodes.Status409Conflict,
            CheckpointError.Locked or CheckpointError.ShardsHeld => StatusCodes.Status423Locked,
            CheckpointError.DiskFull => StatusCodes.Status507InsufficientStorage,
            _ when failure.ExitCode == 11 => StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status500InternalServerError,
        };
}
