using System.Text;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.TestKit.Fuzzing.Targets;

/// <summary>One rank's JSON handles, version 2, and the live memory that it names: a file of 4 kB.</summary>
internal sealed class HandlesJsonTarget : FuzzTarget
{
    internal HandlesJsonTarget()
        : base("handles-json") => WritePrivate(Folder.File("m"), new byte[4096]);

    private string Path => Folder.File("weights.json");

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Corpus { get; } = [.. Samples.Select(Encoding.UTF8.GetBytes)];

    /// <inheritdoc/>
    public override IReadOnlyCollection<CheckpointError> Refusals =>
        [CheckpointError.HandlesMalformed, CheckpointError.HandlesUnsafe, CheckpointError.SourceUnavailable];

    internal static IReadOnlyList<string> Samples { get; } =
    [
        """
            {"format":"apollo-handles","version":2,
             "allocations":[{"id":0,"kind":"file","path":"m","size":4096}],
             "tensors":[{"name":"w","alloc":0,"offset":4,"dtype":"BF16","shape":[6,8]},
                        {"name":"t","alloc":0,"offset":512,"dtype":"F32","shape":[4,3],"stride":[1,4]},
                        {"name":"w2","alias_of":"w"}]}
            """,
        """
            {"format":"apollo-handles","version":2,"generation":7,"something":{"new":[1]},
             "producer":{"kind":"vllm","version":"0.32.0","pid":42,"pid_ns":7,"pid_start":99,"boot_id":"b","hook":"apollo-vllm 0.1","loaded_root":"00ff"},
             "model":{"path":"/models/m","lora":true,"quantization":null},
             "parallel":{"rank":3},
             "state":{"path":"state.bin","protocol":"flock+seqlock"},
             "allocations":[{"id":5,"device_uuid":"GPU-1","kind":"cuda-ipc","handle":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==","size":4096}],
             "tensors":[
               {"name":"qkv","alloc":5,"offset":512,"dtype":"BF16","shape":[8,4],"stride":[4,1],
                "parts":[{"hf":"q","live":{"dim":0,"start":0,"length":6},"file":{"dim":0,"start":0,"length":6},"proof":"full"},
                         {"hf":"k","live":{"start":[6,0],"length":[2,4]},"file":{"start":[2,0],"length":[2,4]},"proof":"sample","unused":true},
                         {"hf":"v","live":{"dim":1,"start":1,"length":2},"file":{"dim":1,"start":0,"length":2},"replica_of":0}]},
               {"name":"odd","unsupported":"offloaded"}],
             "unmapped_disk":[{"hf":"mtp.fc.weight","why":"skipped by loader"}]}
            """,
    ];

    /// <inheritdoc/>
    public override void Place(byte[] file) => WritePrivate(Path, file);

    /// <inheritdoc/>
    public override void Read()
    {
        using (IDiskFile file = Disk.Instance.Open(Path))
        {
            HandleProof.Check(HandlesFile.Parse(file, CancellationToken.None));
        }

        HandlesDescription.Describe(Path, null, digest: true, CancellationToken.None);
    }

    /// <inheritdoc/>
    public override byte[] Spoil(byte[] file, Random random) =>
        random.Next(6) == 0 ? Havoc.Spoil(file, random) : JsonHavoc.Spoil(file, random);
}
