using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Fuzzing.Targets;

/// <summary><c>state.json</c>: read, or taken for no file.</summary>
internal sealed class StateTarget : FuzzTarget
{
    internal StateTarget()
        : base("state")
    {
        FuzzJournal journal = FuzzJournal.Make(Folder.File("model"));
        ModelState state = ModelState.TryRead(Disk.Instance, journal.Paths.State)!;
        ProducerRecord producer = new("vllm", 42, 99, "boot", "00ff") { PageSequence = ulong.MaxValue };
        Corpus = [File.ReadAllBytes(journal.Paths.State), ModelStateJson.Write(state with { Producer = producer })];
    }

    private string StatePath => Folder.File("state.json");

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Corpus { get; }

    /// <inheritdoc/>
    public override IReadOnlyCollection<CheckpointError> Refusals => [];

    /// <inheritdoc/>
    public override void Place(byte[] file) => File.WriteAllBytes(StatePath, file);

    /// <inheritdoc/>
    public override void Read()
    {
        if (ModelState.TryRead(Disk.Instance, StatePath) is { } state)
        {
            byte[] again = ModelStateJson.Write(state);
            Require(ModelStateJson.TryParse(again) == state, "what was read cannot be written and read again");
        }
    }

    /// <inheritdoc/>
    public override byte[] Spoil(byte[] file, Random random) =>
        random.Next(6) == 0 ? Havoc.Spoil(file, random) : JsonHavoc.Spoil(file, random);
}
