using System.Buffers.Binary;
using System.Text;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Fuzzing.Targets;

/// <summary>A model of one file: prefix, JSON header, and the layout of its chunks.</summary>
internal sealed class SafetensorsTarget() : FuzzTarget("safetensors")
{
    private string Path => Folder.File(ModelDirectory.SingleName);

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        SafetensorsBytes.Build(TinyModel.Small.Select(tensor => (tensor, new byte[tensor.ByteLength]))),
        SafetensorsBytes.WithHeader(
            """{"a":{"dtype":"F4","shape":[2,4],"data_offsets":[0,4]},"b":{"dtype":"I64","shape":[],"data_offsets":[4,12]}}""",
            new byte[12]
        ),
        SafetensorsBytes.WithHeader(
            """{"__metadata__":{"format":"pt"},"e":{"dtype":"BF16","shape":[0,9223372036854775807],"data_offsets":[0,0]}}""",
            []
        ),
        SafetensorsBytes.WithHeader("{}", []),
    ];

    /// <inheritdoc/>
    public override IReadOnlyCollection<CheckpointError> Refusals => [CheckpointError.HeaderMalformed];

    /// <inheritdoc/>
    public override void Place(byte[] file) => File.WriteAllBytes(Path, file);

    /// <inheritdoc/>
    public override void Read()
    {
        ModelLayout layout = ModelDirectory.Open(Disk.Instance, Folder.Path).Layout;
        long end = layout.Shards[0].Header.DataStart;
        for (int ordinal = 0; ordinal < layout.ChunkCount; ordinal++)
        {
            Chunk chunk = layout[ordinal];
            Require(
                chunk.FileOffset == end && chunk.ByteLength is > 0 and <= ChunkLayout.MaxBytes,
                $"chunk {ordinal} does not follow the one before it"
            );
            end += chunk.ByteLength;
        }

        Require(end == layout.Shards[0].Length, "the chunks do not end where the file ends");
    }

    /// <inheritdoc/>
    public override byte[] Spoil(byte[] file, Random random)
    {
        long json = file.Length < 8 ? -1 : BinaryPrimitives.ReadInt64LittleEndian(file);
        if (random.Next(4) == 0 || json < 0 || json > file.Length - 8)
        {
            return Havoc.Spoil(file, random);
        }

        string header = Encoding.UTF8.GetString(JsonHavoc.Spoil(file.AsSpan(8, (int)json), random));
        return SafetensorsBytes.WithHeader(header, file[(8 + (int)json)..]);
    }
}
