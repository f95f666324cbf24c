namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>A failure inside the host.</summary>
/// <param name="Kind">"unsupported", "malformed" or "unavailable".</param>
/// <param name="Message">What happened and where.</param>
/// <param name="Next">What to do, or null.</param>
internal sealed record HostFailure(string Kind, string Message, string? Next)
{
    /// <summary>As the engine's exception.</summary>
    internal CheckpointException ToException(IReadOnlyList<(string Label, string Text)> details)
    {
        CheckpointError error = Kind switch
        {
            "unsupported" => CheckpointError.SourceUnsupported,
            "malformed" => CheckpointError.HandlesMalformed,
            _ => CheckpointError.SourceUnavailable,
        };
        return new CheckpointException(error, Message, Next) { Details = details };
    }
}
