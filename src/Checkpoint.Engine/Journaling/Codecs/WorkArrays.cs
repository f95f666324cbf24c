using System.Runtime.InteropServices;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// The arrays of one codec, sized for the largest chunk and allocated once: 12 MiB. Encodings that are tried one after the other
/// share them; the comments say who may use what at the same time.
/// </summary>
internal sealed class WorkArrays
{
    /// <summary>Classes that any type has.</summary>
    public const int ClassCount = 256;

    /// <summary>Words behind the last one that vectors may read and write.</summary>
    private const int Tail = 8;

    private readonly byte[] steps = Bytes(ChunkLayout.MaxBytes + 64 * Tail);
    private readonly byte[] sorted = Bytes(ChunkLayout.MaxBytes + 64 * Tail);

    /// <summary>The class of every element.</summary>
    public byte[] Classes { get; } = Bytes(ChunkLayout.MaxUnits + 64 * Tail);

    /// <summary>The class of every change that is no crosser, in the order of the elements.</summary>
    public byte[] ChangeClasses { get; } = Bytes(ChunkLayout.MaxUnits + 64 * Tail);

    /// <summary>One bit an element: changed, and no crosser.</summary>
    public ulong[] Changed { get; } = new ulong[ChunkLayout.MaxUnits / 64 + Tail];

    /// <summary>One bit an element: a crosser (while levels are coded, one of an earlier level).</summary>
    public ulong[] Crossing { get; } = new ulong[ChunkLayout.MaxUnits / 64 + Tail];

    /// <summary>
    /// Bit strings of classes: one at a time while encoding; all of them, each from a whole word on, while decoding.
    /// </summary>
    public ulong[] Strings { get; } = new ulong[ChunkLayout.MaxUnits / 64 + 2 * ClassCount + Tail];

    /// <summary>Flags of the list at hand.</summary>
    public ulong[] Flags { get; } = new ulong[ChunkLayout.MaxUnits / 64 + Tail];

    /// <summary>Gaps of the list at hand: never of more than half of the elements. While decoding: the new bits of the crossers.</summary>
    public uint[] Gaps { get; } = new uint[ChunkLayout.MaxUnits / 2 + 64 * Tail];

    /// <summary>Positions of the crossers; at most a quarter of the elements, and one more to notice that.</summary>
    public int[] Crossers { get; } = new int[ChunkLayout.MaxUnits / 4 + Tail];

    /// <summary>Where the class code is written.</summary>
    public byte[] Output { get; } = Bytes(ChunkLayout.MaxBytes + 4096);

    /// <summary>Where a second candidate may be written, once the class code no longer needs its gaps.</summary>
    public Span<byte> SecondOutput => MemoryMarshal.AsBytes(Gaps.AsSpan());

    /// <summary>Where a third candidate may be written, once the class code no longer needs its steps.</summary>
    public Span<byte> ThirdOutput => sorted;

    /// <summary>What is handed to zstd; shares its bytes with <see cref="Steps{T}"/>.</summary>
    public Span<byte> Body => steps;

    /// <summary>How many changes each class has, without crossers.</summary>
    public int[] ClassChanges { get; } = new int[ClassCount];

    /// <summary>Where each class begins in <see cref="SortedSteps{T}"/>.</summary>
    public int[] FirstStep { get; } = new int[ClassCount];

    /// <summary>Steps in the order of the elements; while decoding, class after class.</summary>
    public Span<T> Steps<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(steps.AsSpan());

    /// <summary>Steps class after class.</summary>
    public Span<T> SortedSteps<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(sorted.AsSpan());

    // Nothing is read before it is written, so the pages need not be zeroed (and are not touched before they are used).
    private static byte[] Bytes(int length) => GC.AllocateUninitializedArray<byte>(length);
}
