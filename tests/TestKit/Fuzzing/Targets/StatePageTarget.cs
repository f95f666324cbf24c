using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Weights.Consistency;
using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.TestKit.Fuzzing.Targets;

/// <summary>The page on which a trainer says where it is.</summary>
internal sealed class StatePageTarget() : FuzzTarget("state-page")
{
    private string Path => Folder.File("state.bin");

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Corpus { get; } = [Page(new StateSnapshot(2, 7, 1_764_000_000_000_000_000, 42)), Page(default)];

    /// <inheritdoc/>
    public override IReadOnlyCollection<CheckpointError> Refusals => [CheckpointError.HandlesMalformed];

    /// <inheritdoc/>
    public override void Place(byte[] file) => WritePrivate(Path, file);

    /// <inheritdoc/>
    public override void Read()
    {
        using StatePage? page = StatePage.TryOpen(Path, FileRules.For(null));
        Require(page is not null, "a page that is there was not found");
    }

    /// <inheritdoc/>
    public override byte[] Spoil(byte[] file, Random random) => Havoc.Spoil(file, random);

    private static byte[] Page(StateSnapshot state)
    {
        byte[] page = new byte[StatePageFormat.Size];
        StatePageFormat.Write(page, state);
        return page;
    }
}
