namespace ApolloCheckpoint.Mutants;

/// <summary>One check of the engine: what makes it refuse, or give up.</summary>
/// <param name="Number">Its number in this build.</param>
/// <param name="File">The file, from the engine's folder.</param>
/// <param name="Member">The type and member it stands in.</param>
/// <param name="Condition">Its text, with a number when the member has it more than once.</param>
internal sealed record Guard(int Number, string File, string Member, string Condition)
{
    /// <summary>Stays the same when lines move.</summary>
    internal string Key => $"{File} | {Member} | {Condition}";
}
