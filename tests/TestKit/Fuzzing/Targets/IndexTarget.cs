using System.Text;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Fuzzing.Targets;

/// <summary><c>model.safetensors.index.json</c> beside two good shards.</summary>
internal sealed class IndexTarget : FuzzTarget
{
    internal IndexTarget()
        : base("index")
    {
        TinyModel.Write(Folder.Path, TinyModel.Small, shards: 2);
        Corpus =
        [
            File.ReadAllBytes(IndexPath),
            Encoding.UTF8.GetBytes("""{"weight_map":{"a":"../../etc/passwd","b":"/dev/zero","c":"config.json"}}"""),
            Encoding.UTF8.GetBytes("""{"weight_map":{"a":"CON","a":".apollo","b":"x.folding"}}"""),
        ];
    }

    private string IndexPath => Folder.File(ModelDirectory.IndexName);

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Corpus { get; }

    /// <inheritdoc/>
    public override IReadOnlyCollection<CheckpointError> Refusals =>
        [CheckpointError.IndexMalformed, CheckpointError.ShardMissing, CheckpointError.HeaderMalformed];

    /// <inheritdoc/>
    public override void Place(byte[] file) => File.WriteAllBytes(IndexPath, file);

    /// <inheritdoc/>
    public override void Read()
    {
        ModelDirectory model = ModelDirectory.Open(Disk.Instance, Folder.Path);
        Require(
            model.Layout.Shards.All(shard => Path.GetDirectoryName(shard.FilePath) == Folder.Path),
            "a shard outside of the directory was opened"
        );
    }

    /// <inheritdoc/>
    public override byte[] Spoil(byte[] file, Random random) =>
        random.Next(6) == 0 ? Havoc.Spoil(file, random) : JsonHavoc.Spoil(file, random);
}
