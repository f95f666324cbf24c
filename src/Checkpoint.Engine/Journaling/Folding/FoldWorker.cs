using ApolloCheckpoint.Engine.Diffing;
using ApolloCheckpoint.Engine.Journaling.Codecs;

namespace ApolloCheckpoint.Engine.Journaling.Folding;

/// <summary>Buffers and codec of one thread of a fold.</summary>
internal sealed class FoldWorker(JournalSession session) : IDisposable
{
    /// <summary>Decodes.</summary>
    internal IChunkCodec Codec { get; } = session.Options.Codec();

    /// <summary>A chunk as the shard has it.</summary>
    internal byte[] Before { get; } = new byte[session.Layout.LargestChunkBytes];

    /// <summary>The chunk in the newest version.</summary>
    internal byte[] After { get; } = new byte[session.Layout.LargestChunkBytes];

    /// <summary>Where the two differ, from <see cref="DirtyPages"/>: offset inside the chunk and length, bytes.</summary>
    internal List<(int Offset, int Length)> Ranges { get; } = [];

    /// <summary>Number of pages in <see cref="Ranges"/>.</summary>
    internal int Pages { get; set; }

    /// <inheritdoc/>
    public void Dispose() => Codec.Dispose();
}
