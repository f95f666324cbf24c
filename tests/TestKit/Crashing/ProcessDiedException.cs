namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>The process that used a <see cref="CrashingDisk"/> was killed: it does nothing any more. Never caught by what is under test.</summary>
public sealed class ProcessDiedException : Exception
{
    /// <summary>Says so.</summary>
    public ProcessDiedException()
        : base("the process was killed") { }
}
