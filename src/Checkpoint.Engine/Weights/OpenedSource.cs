namespace ApolloCheckpoint.Engine.Weights;

/// <summary>An open source and why it is this one.</summary>
/// <param name="Source">The source; the receiver disposes it.</param>
/// <param name="Choice">For the report: "the handles name files", "asked for by --source archive".</param>
internal sealed record OpenedSource(IWeightSource Source, string Choice) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Source.Dispose();
}
