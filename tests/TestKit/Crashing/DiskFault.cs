namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>A failure to come.</summary>
/// <param name="Operation">The number of the first operation that fails.</param>
/// <param name="Kind">How it fails.</param>
/// <param name="IsPersistent">Every later one fails too.</param>
public sealed record DiskFault(int Operation, DiskFaultKind Kind, bool IsPersistent = false)
{
    internal bool Hits(int number, DiskOperationKind kind) =>
        (number == Operation || (IsPersistent && number > Operation))
        && (
            Kind != DiskFaultKind.NoSpace
            || kind is DiskOperationKind.Create or DiskOperationKind.Write or DiskOperationKind.Allocate or DiskOperationKind.CreateFolder
        );
}
