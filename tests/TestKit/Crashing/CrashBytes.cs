namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>The bytes of a file that nobody changes any more; everything behind <paramref name="Used"/> is zeros.</summary>
/// <param name="Data">The array; may be longer than what is used.</param>
/// <param name="Used">Bytes that may differ from zero.</param>
/// <param name="Length">Bytes of the file.</param>
internal readonly record struct CrashBytes(byte[] Data, int Used, int Length)
{
    /// <summary>Without the zeros at the end, so that equal files look equal however they came about.</summary>
    internal ReadOnlySpan<byte> Trimmed => Data.AsSpan(0, Used).TrimEnd((byte)0);
}
