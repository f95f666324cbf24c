namespace ApolloCheckpoint.Tool.Serving;

/// <summary>Asks an engine for one sync, and waits for its end.</summary>
internal interface IEngineCall
{
    /// <summary>One sync.</summary>
    /// <param name="next">When the caller will ask again, for the status page; null when it does not know.</param>
    /// <param name="cancel">Stops waiting; the engine goes on.</param>
    /// <returns>Whether it ended well, and what happened, one sentence.</returns>
    Task<(bool IsGood, string Said)> SyncAsync(DateTimeOffset? next, CancellationToken cancel);
}
