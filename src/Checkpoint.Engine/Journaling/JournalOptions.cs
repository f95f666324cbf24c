using System.Security.Cryptography;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling;

/// <summary>What an opened journal works with.</summary>
internal sealed record JournalOptions
{
    private readonly int workers = ChunkWorkers.Count(0);

    /// <summary>Makes a codec; one a worker, who disposes it.</summary>
    internal required Func<IChunkCodec> Codec { get; init; }

    /// <summary>Worker threads; 0 asks for all cores. Reads back as the number in use.</summary>
    internal int Workers
    {
        get => workers;
        init => workers = ChunkWorkers.Count(value);
    }

    /// <summary>Told how far it is.</summary>
    internal IProgressSink Progress { get; init; } = NoProgress.Instance;

    /// <summary>The clock of version times.</summary>
    internal TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Makes the lineage of a history that begins: 128 random bits.</summary>
    internal Func<Digest128> Lineage { get; init; } = () => Digest128.Read(RandomNumberGenerator.GetBytes(Digest128.ByteLength));

    /// <summary>Write nothing, repair nothing, create nothing: what is unfinished is understood, and left.</summary>
    internal bool ReadOnly { get; init; }

    /// <summary>Open although chunks hold bytes of no version; the caller takes them from the live model.</summary>
    internal bool Repair { get; init; }

    /// <summary>Accept a network or FUSE file system.</summary>
    internal bool AllowUnfitFileSystem { get; init; }

    /// <summary>Put a private file in the place of a linked shard.</summary>
    internal bool ReplaceLinks { get; init; }

    /// <summary>A folder in memory that keeps the newest version ready between folds, or null.</summary>
    internal string? BaselineFolder { get; init; }

    /// <summary>Id of this boot of the machine: what a folder in memory holds is of no other.</summary>
    internal string BootId { get; init; } = "";

    /// <summary>Largest redo file, bytes: a shard is patched in slices of about this size.</summary>
    internal long RedoSliceBytes { get; init; } = 64L << 20;
}
