using ApolloCheckpoint.Engine.Journaling.Codecs;

namespace ApolloCheckpoint.Engine.Journaling.History;

/// <summary>Buffers and codec of one thread of a restore.</summary>
internal sealed class RestoreWorker(JournalSession session) : IDisposable
{
    /// <summary>Its codec.</summary>
    internal IChunkCodec Codec { get; } = session.Options.Codec();

    /// <summary>A chunk in the newest version.</summary>
    internal byte[] Newest { get; } = new byte[session.Layout.LargestChunkBytes];

    /// <summary>A chunk in the wanted version.</summary>
    internal byte[] Wanted { get; } = new byte[session.Layout.LargestChunkBytes];

    /// <inheritdoc/>
    public void Dispose() => Codec.Dispose();
}
