namespace ApolloCheckpoint.Mutants;

/// <summary>What is known of a guard: what fails without it, or why nothing does.</summary>
/// <param name="Guard">The guard's key.</param>
/// <param name="Crash">A crash probe that fails without it, or "-".</param>
/// <param name="Test">Another test that fails without it, or "-".</param>
/// <param name="Reason">Why nothing has to fail without it, or "-".</param>
internal sealed record GuardRow(string Guard, string Crash, string Test, string Reason)
{
    /// <summary>What is not there.</summary>
    internal const string None = "-";

    /// <summary>Whether nothing notices its removal.</summary>
    internal bool IsIdle => Crash == None && Test == None;

    /// <summary>The tests that fail without it.</summary>
    internal IEnumerable<string> Tests => new[] { Crash, Test }.Where(test => test != None);

    public override string ToString() => string.Join('\t', Guard, Crash, Test, Reason);
}
