using System.Buffers.Binary;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.TestKit.Fuzzing.Targets;

/// <summary>Files of torch.save, both containers; everything they hold is read and digested, as <c>handles --digest</c> does.</summary>
internal sealed class TorchTarget : FuzzTarget
{
    private const int LongestSeed = 64 << 10;
    private readonly bool isZip;

    internal TorchTarget(string name, bool isZip)
        : base(name)
    {
        this.isZip = isZip;
        Corpus =
        [
            .. new[] { "good", "hostile" }
                .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Fixtures.Handles, folder), "*.pt"))
                .Order(StringComparer.Ordinal)
                .Select(File.ReadAllBytes)
                .Where(bytes => bytes.Length <= LongestSeed && isZip == bytes.AsSpan().StartsWith("PK"u8)),
        ];
    }

    private string HandlesPath => Folder.File("m.pt");

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Corpus { get; }

    /// <inheritdoc/>
    public override IReadOnlyCollection<CheckpointError> Refusals => [CheckpointError.HandlesMalformed, CheckpointError.SourceUnsupported];

    /// <inheritdoc/>
    public override void Place(byte[] file) => WritePrivate(HandlesPath, file);

    /// <inheritdoc/>
    public override void Read()
    {
        using (IDiskFile file = Disk.Instance.Open(HandlesPath))
        {
            HandleProof.Check(HandlesFile.Parse(file, CancellationToken.None));
        }

        HandlesDescription.Describe(HandlesPath, null, digest: true, CancellationToken.None);
    }

    /// <inheritdoc/>
    public override byte[] Spoil(byte[] file, Random random) =>
        random.Next(5) == 0 ? Havoc.Spoil(file, random)
        : !isZip ? PickleHavoc.Spoil(file, random)
        : random.Next(4) == 0 ? SpoilHeaders(file, random)
        : SpoilEntry(file, random);

    /// <summary>One entry is spoilt and the archive built anew around it, with true sizes and checksums.</summary>
    private static byte[] SpoilEntry(byte[] file, Random random)
    {
        if (StoredZip.TryRead(file) is not { Count: > 0 } entries)
        {
            return Havoc.Spoil(file, random);
        }

        int pickle = entries.FindIndex(entry => entry.Name.EndsWith("data.pkl", StringComparison.Ordinal));
        int one = pickle >= 0 && random.Next(5) > 0 ? pickle : random.Next(entries.Count);
        (string name, byte[] data) = entries[one];
        entries[one] = (name, one == pickle ? PickleHavoc.Spoil(data, random) : Havoc.Spoil(data, random));
        return StoredZip.Build(entries);
    }

    /// <summary>A number in one of the archive's headers lies.</summary>
    private static byte[] SpoilHeaders(byte[] file, Random random)
    {
        byte[] spoilt = [.. file];
        List<int> headers = [.. Enumerable.Range(0, Math.Max(0, file.Length - 22)).Where(i => file[i] == 'P' && file[i + 1] == 'K')];
        for (int rounds = 1 + random.Next(3); headers.Count > 0 && rounds > 0; rounds--)
        {
            Span<byte> field = spoilt.AsSpan(headers[random.Next(headers.Count)] + 4 + 2 * random.Next(9));
            long number = Havoc.Number(random);
            if (random.Next(2) == 0 && field.Length >= 4)
            {
                BinaryPrimitives.WriteInt32LittleEndian(field, (int)number);
            }
            else if (field.Length >= 2)
            {
                BinaryPrimitives.WriteInt16LittleEndian(field, (short)number);
            }
        }

        return spoilt;
    }
}
