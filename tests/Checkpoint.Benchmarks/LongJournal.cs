using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>Makes many versions through the engine's own journal, without a producer: a few elements of each tensor change.</summary>
internal static class LongJournal
{
    /// <summary>Adds versions.</summary>
    public static void Grow(string modelPath, int versions)
    {
        JournalOptions options = new() { Codec = () => new ChunkCodec() };
        ModelDirectory model = ModelDirectory.Open(Disk.Instance, modelPath);
        using JournalSession session = JournalSession.Open(Disk.Instance, model, options, CancellationToken.None);
        using ChunkCodec codec = new();
        byte[][] now = [.. Enumerable.Range(0, model.Layout.ChunkCount).Select(ordinal => Read(session, model.Layout[ordinal], codec))];
        Random random = new(1);
        for (int version = 0; version < versions; version++)
        {
            using DeltaWriter delta = session.BeginDelta();
            for (int ordinal = version % 4; ordinal < now.Length; ordinal += 4)
            {
                byte[] after = [.. now[ordinal]];
                after[2 * random.Next(after.Length / 2)] ^= 1;
                ElementType type = model.Layout[ordinal].Tensor.Type;
                EncodedChunk coded = codec.Encode(type, type, now[ordinal], after);
                delta.Append(ordinal, type, coded, session.NewestDigest(ordinal), Digest128.Of(after));
                now[ordinal] = after;
            }

            session.Commit(
                delta,
                new VersionFacts
                {
                    Label = new ConsistencyLabel(ConsistencyKind.Stable),
                    ChangedUnits = now.Length / 4,
                    ComparedUnits = now.Sum(chunk => chunk.LongLength / 2),
                }
            );
        }

        session.SaveState();
    }

    private static byte[] Read(JournalSession session, in Chunk chunk, ChunkCodec codec)
    {
        using Engine.Journaling.Baselines.Baseline baseline = session.OpenBaseline();
        byte[] buffer = new byte[ChunkLayout.MaxBytes];
        return baseline.Read(chunk, buffer, codec).ToArray();
    }
}
