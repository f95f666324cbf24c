using System.Numerics;
using ApolloCheckpoint.Engine.Journaling.Deltas;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// The class code (<see cref="ChunkEncoding.ClassCode"/>): which elements changed, as gaps counted inside one exponent class, and by
/// how many units in the last place. Elements that change class or sign stand apart, so that the same bytes lead both ways.
/// docs/format-codec.md describes every bit.
/// </summary>
internal static class ClassCode
{
    /// <summary>Codes a chunk.</summary>
    /// <param name="shape">Shape of the elements.</param>
    /// <param name="before">The chunk.</param>
    /// <param name="after">The chunk as it becomes.</param>
    /// <param name="arrays">Work arrays.</param>
    /// <param name="path">Scalar or vector; the bytes are the same.</param>
    /// <param name="output">Receives the stream; its length is the limit, less <see cref="BitWriter.Slack"/>.</param>
    /// <returns>Bytes written and elements changed, or null when dense must be shorter.</returns>
    public static (int Bytes, int Changes)? TryEncode<T>(
        FloatShape shape,
        ReadOnlySpan<T> before,
        ReadOnlySpan<T> after,
        WorkArrays arrays,
        IClassPath path,
        Span<byte> output
    )
        where T : unmanaged, IBinaryInteger<T>
    {
        if (path.Scan(shape, before, after) is not (int crossers, int others))
        {
            return null;
        }

        BitWriter writer = new(output);
        CrosserWriter<T> crosserWriter = new(shape, before, after, arrays, path);
        ClassWriter classWriter = new(arrays, path);
        return crosserWriter.TryWrite(ref writer, crossers) && classWriter.TryWrite<T>(ref writer)
            ? (writer.Finish(), crossers + others)
            : null;
    }

    /// <summary>Applies a stream in place.</summary>
    /// <exception cref="CheckpointException">JournalDamaged.</exception>
    public static void Apply<T>(
        FloatShape shape,
        ReadOnlySpan<byte> payload,
        Span<T> elements,
        WorkArrays arrays,
        IClassPath path,
        bool backward
    )
        where T : unmanaged, IBinaryInteger<T>
    {
        BitReader reader = new(payload);
        path.Prepare<T>(shape, elements);
        CrosserReader<T> crossers = new(shape, elements, arrays, path, backward);
        crossers.Read(ref reader);
        Span<UnpackedClass> classes = stackalloc UnpackedClass[WorkArrays.ClassCount];
        ClassUnpacker unpacker = new(arrays, shape, elements.Length);
        int count = unpacker.Read<T>(ref reader, classes);
        reader.Finish();
        path.Apply(shape, elements, classes[..count], backward);
        crossers.PutInPlace();
    }
}
