using System.IO.Hashing;
using System.Text;
using ApolloCheckpoint.TestKit.Crashing;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>One row of the table of what is interrupted.</summary>
/// <param name="Name">For a reader.</param>
/// <param name="ImagesAPoint">Images at most after each operation (times APOLLO_CRASH_FACTOR).</param>
/// <param name="Least">Distinct images that are promised: fewer is a failure.</param>
/// <param name="Make">Makes the model as it is before, on an empty disk.</param>
internal sealed record CrashScenario(string Name, int ImagesAPoint, int Least, Func<CrashingDisk, CrashStage> Make)
{
    /// <summary>The model as it is before; no other scenario begins with the same history.</summary>
    /// <param name="variant">Another number makes another history of the same kind, so that its images are others.</param>
    internal CrashStage Prepare(int variant = 0) => Make(new CrashingDisk { Variant = Number + variant });

    private int Number => (int)(XxHash32.HashToUInt32(Encoding.UTF8.GetBytes(Name)) >> 2);

    public override string ToString() => Name;
}
