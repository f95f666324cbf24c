using System.IO.Hashing;
using System.Text;

namespace ApolloCheckpoint.Engine.Model;

/// <summary>
/// All chunks of a model in order: shards by file name (ordinal), tensors by file offset, parts. A function of the shards' names and
/// headers alone, so that a chunk's ordinal means the same in every delta of a journal.
/// </summary>
public sealed class ModelLayout
{
    private readonly (int FirstOrdinal, Shard Shard, TensorEntry Tensor, int Count)[] tensors;
    private readonly Dictionary<TensorEntry, (int First, int Count)> tensorRanges = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, (int First, int Count)> shardRanges = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> shardPlaces = new(StringComparer.Ordinal);

    /// <summary>Counts the chunks of the shards.</summary>
    /// <param name="shards">The shards of one model, in any order.</param>
    public ModelLayout(IEnumerable<Shard> shards)
    {
        Shards = [.. shards.OrderBy(shard => shard.FileName, StringComparer.Ordinal)];
        List<(int, Shard, TensorEntry, int)> rows = [];
        int ordinal = 0;
        foreach (Shard shard in Shards)
        {
            int first = ordinal;
            foreach (TensorEntry tensor in shard.Header.Tensors)
            {
                int count = ChunkLayout.Count(tensor);
                if (count > 0)
                {
                    rows.Add((ordinal, shard, tensor, count));
                    tensorRanges[tensor] = (ordinal, count);
                    ordinal = checked(ordinal + count);
                    LargestChunkBytes = Math.Max(LargestChunkBytes, LargestPart(tensor, count));
                }

                DataBytes += tensor.ByteLength;
            }

            shardRanges[shard.FileName] = (first, ordinal - first);
            shardPlaces[shard.FileName] = shardPlaces.Count;
        }

        tensors = [.. rows];
        ChunkCount = ordinal;
        Identity = ComputeIdentity(Shards);
    }

    /// <summary>The shards by file name, ordinal order.</summary>
    public IReadOnlyList<Shard> Shards { get; }

    /// <summary>Number of chunks of the whole model.</summary>
    public int ChunkCount { get; }

    /// <summary>Bytes of the largest chunk: what a buffer for any of them needs; at most <see cref="ChunkLayout.MaxBytes"/>.</summary>
    public int LargestChunkBytes { get; }

    /// <summary>Bytes of tensor data, all shards.</summary>
    public long DataBytes { get; }

    /// <summary>xxh3-128 over the shards' names and header digests: two models with the same identity have the same chunks.</summary>
    public Digest128 Identity { get; }

    /// <summary>The shard's place in <see cref="Shards"/>.</summary>
    public int PlaceOf(Shard shard) => shardPlaces[shard.FileName];

    /// <summary>First ordinal and number of chunks of a shard.</summary>
    public (int First, int Count) ChunksOf(Shard shard) => shardRanges[shard.FileName];

    /// <summary>First ordinal and number of chunks of a tensor; (0, 0) when it has none.</summary>
    public (int First, int Count) ChunksOf(TensorEntry tensor) => tensorRanges.GetValueOrDefault(tensor);

    /// <summary>The chunk of that ordinal.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not 0 to <see cref="ChunkCount"/> - 1.</exception>
    public Chunk this[int ordinal]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(ordinal);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(ordinal, ChunkCount);
            int low = 0;
            int high = tensors.Length - 1;
            while (low < high)
            {
                int middle = (low + high + 1) / 2;
                if (tensors[middle].FirstOrdinal <= ordinal)
                {
                    low = middle;
                }
                else
                {
                    high = middle - 1;
                }
            }

            (int first, Shard shard, TensorEntry tensor, int count) = tensors[low];
            long begin = ChunkLayout.FirstUnit(tensor, ordinal - first, count);
            long end = ChunkLayout.FirstUnit(tensor, ordinal - first + 1, count);
            return new Chunk(ordinal, shard, tensor, begin, (int)(end - begin));
        }
    }

    /// <summary>Parts differ by one unit at most, so this is the rounded-up mean.</summary>
    private static int LargestPart(TensorEntry tensor, int count) => (int)((tensor.Units + count - 1) / count) * tensor.Type.UnitBytes();

    private static Digest128 ComputeIdentity(IReadOnlyList<Shard> shards)
    {
        XxHash128 hash = new();
        Span<byte> digest = stackalloc byte[16];
        foreach (Shard shard in shards)
        {
            hash.Append(Encoding.UTF8.GetBytes(shard.FileName));
            hash.Append([0]);
            shard.Header.Digest.Write(digest);
            hash.Append(digest);
        }

        return Digest128.Of(hash);
    }
}
