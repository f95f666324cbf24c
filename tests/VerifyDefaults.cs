#pragma warning disable CA2255 // A test assembly is where this belongs: it runs before the first snapshot is compared.
using System.Runtime.CompilerServices;
using VerifyTests;

namespace ApolloCheckpoint.Tests;

/// <summary>Switches off what Verify would change in a plain string, so that it and the stand-in store the same files.</summary>
internal static class VerifyDefaults
{
    [ModuleInitializer]
    internal static void Set()
    {
        VerifierSettings.DontScrubDateTimes();
        VerifierSettings.DontScrubGuids();
        DiffEngine.DiffRunner.Disabled = true;
    }
}
