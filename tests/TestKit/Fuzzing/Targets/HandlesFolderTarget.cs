using System.Text;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.TestKit.Fuzzing.Targets;

/// <summary>The index of a version 2 folder, beside two good ranks.</summary>
internal sealed class HandlesFolderTarget : FuzzTarget
{
    internal HandlesFolderTarget()
        : base("handles-folder")
    {
        WritePrivate(Folder.File("weights.rank0.json"), Encoding.UTF8.GetBytes(HandlesJsonTarget.Samples[0]));
        WritePrivate(Folder.File("weights.rank3.json"), Encoding.UTF8.GetBytes(HandlesJsonTarget.Samples[1]));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        Encoding.UTF8.GetBytes("""{"format":"apollo-handles-index","version":2,"ranks":["weights.rank0.json","weights.rank3.json"]}"""),
        Encoding.UTF8.GetBytes(
            """{"format":"apollo-handles-index","version":2,"ranks":["../index.json","index.json","..","/etc/passwd"]}"""
        ),
    ];

    /// <inheritdoc/>
    public override IReadOnlyCollection<CheckpointError> Refusals => [CheckpointError.HandlesMalformed];

    /// <inheritdoc/>
    public override void Place(byte[] file) => WritePrivate(Folder.File(HandlesDirectory.IndexName), file);

    /// <inheritdoc/>
    public override void Read() => HandleProof.Check(HandlesDirectory.Read(Folder.Path, FileRules.For(null), CancellationToken.None));

    /// <inheritdoc/>
    public override byte[] Spoil(byte[] file, Random random) =>
        random.Next(6) == 0 ? Havoc.Spoil(file, random) : JsonHavoc.Spoil(file, random);
}
