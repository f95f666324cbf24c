namespace ApolloCheckpoint.Engine.Storage;

/// <summary>A read-only mapping of a whole file. Writes through <see cref="IDiskFile.Write"/> are seen in it at once.</summary>
public interface IMapping : IDisposable
{
    /// <summary>Bytes mapped.</summary>
    long Length { get; }

    /// <summary>A window of it.</summary>
    /// <param name="fileOffset">Bytes from the start of the file.</param>
    /// <param name="length">Bytes; the range lies inside the file.</param>
    ReadOnlySpan<byte> Span(long fileOffset, int length);

    /// <summary>Says that a range is about to be read whole, so that its pages are brought in at once. Only for speed; never fails.</summary>
    /// <param name="fileOffset">Bytes from the start of the file.</param>
    /// <param name="length">Bytes; the range lies inside the file.</param>
    void Populate(long fileOffset, int length) { }
}
