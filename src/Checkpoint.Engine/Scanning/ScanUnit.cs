using ApolloCheckpoint.Engine.Planning;

namespace ApolloCheckpoint.Engine.Scanning;

/// <summary>
/// One unit of scan work: a chunk of live bytes that is read once, and the chunks on disk that take it (one, or several where tensors
/// hold the same live memory: a tied head that is stored).
/// </summary>
/// <param name="Twins">The tensors on disk: same shape, type and regions.</param>
/// <param name="Ordinals">The chunk of each of them, by ordinal in the model's layout.</param>
/// <param name="Copier">Brings its live bytes together.</param>
/// <param name="Copies">Bring the same bytes together from other ranks, for comparison.</param>
internal sealed record ScanUnit(
    IReadOnlyList<PlannedTensor> Twins,
    IReadOnlyList<int> Ordinals,
    RegionCopier Copier,
    IReadOnlyList<RegionCopier> Copies
);
