#if !REAL_VERIFY
using System.Runtime.CompilerServices;

namespace VerifyXunit;

/// <summary>
/// Stands in for Verify.Xunit where that package cannot be had: the same call shape, the same file names, so that the snapshots are
/// the same files. Only strings are verified, which Verify stores as they are.
/// </summary>
public static class Verifier
{
    /// <summary>Compares a text with <c>Class.Method.verified.txt</c> beside the test's source file.</summary>
    /// <param name="target">The text.</param>
    /// <param name="sourceFile">Left to the compiler; the file is named as the test class.</param>
    /// <param name="memberName">Left to the compiler.</param>
    /// <returns>To be awaited; the comparison happens then.</returns>
    public static SettingsTask Verify(string? target, [CallerFilePath] string sourceFile = "", [CallerMemberName] string memberName = "") =>
        new(target ?? "null", sourceFile, memberName);
}
#endif
