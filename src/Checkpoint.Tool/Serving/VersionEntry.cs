using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>A version as the service remembers it: deltas are written once, so what was read of one is true as long as the file is the same.</summary>
/// <param name="Header">Its header.</param>
/// <param name="File">The file that the header was read from.</param>
internal sealed record VersionEntry(DeltaHeader Header, FileEntry File)
{
    /// <summary>When it was made, UTC.</summary>
    public DateTime Time => DateTime.UnixEpoch.AddTicks(Header.TimeNs / 100);

    /// <summary>Bytes of the delta.</summary>
    public long Bytes => File.Length;

    /// <summary>Changed elements over compared ones, 0 to 1.</summary>
    public double ChangedShare => Header.ComparedUnits == 0 ? 0 : (double)Header.ChangedUnits / Header.ComparedUnits;
}
