namespace ApolloCheckpoint.TestKit.Fuzzing;

/// <summary>A parser took a file that it should have refused, or refused it in a way that is not documented, or at too high a cost.</summary>
/// <param name="message">What does not hold.</param>
/// <param name="inner">What the parser threw, if it did.</param>
public sealed class FuzzException(string message, Exception? inner = null) : Exception(message, inner);
