namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>One row of the table of what is interrupted.</summary>
/// <param name="Name">For a reader.</param>
/// <param name="ImagesAPoint">Images at most after each operation (times APOLLO_CRASH_FACTOR).</param>
/// <param name="Least">Distinct images that are promised: fewer is a failure.</param>
/// <param name="Prepare">Makes the model as it is before, on a disk of its own.</param>
internal sealed record CrashScenario(string Name, int ImagesAPoint, int Least, Func<CrashStage> Prepare)
{
    public override string ToString() => Name;
}
