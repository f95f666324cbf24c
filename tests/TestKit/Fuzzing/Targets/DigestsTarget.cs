using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Fuzzing.Targets;

/// <summary><c>digests.bin</c>: read, or taken for no file.</summary>
internal sealed class DigestsTarget : FuzzTarget
{
    private readonly ModelLayout layout;

    internal DigestsTarget()
        : base("digests")
    {
        FuzzJournal journal = FuzzJournal.Make(Folder.File("model"));
        layout = journal.Model.Layout;
        Corpus = [File.ReadAllBytes(journal.Paths.Digests)];
    }

    private string DigestsPath => Folder.File("digests.bin");

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Corpus { get; }

    /// <inheritdoc/>
    public override IReadOnlyCollection<CheckpointError> Refusals => [];

    /// <inheritdoc/>
    public override void Place(byte[] file) => File.WriteAllBytes(DigestsPath, file);

    /// <inheritdoc/>
    public override void Read()
    {
        DigestTable? table = DigestTable.TryRead(Disk.Instance, DigestsPath);
        bool fits = table?.Fits(layout) == true;
        Require(!fits || (table!.Shards.Length, table.Digests.Length) == (1, layout.ChunkCount), "it fits, but not its counts");
    }

    /// <inheritdoc/>
    public override byte[] Spoil(byte[] file, Random random) => FixedUp.Checksummed(file, tail: 0, random);
}
