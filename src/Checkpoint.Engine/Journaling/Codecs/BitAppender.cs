using System.Runtime.CompilerServices;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>Appends pieces of up to 64 bits to a bit string without a branch. Writes the word at its end, and none behind it.</summary>
internal unsafe struct BitAppender(ulong* words)
{
    private ulong* at = words;
    private ulong pending;
    private int used;

    /// <summary>Appends the lower bits of a value, whose others are zero.</summary>
    /// <param name="bits">The value.</param>
    /// <param name="count">0 to 64.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(ulong bits, int count)
    {
        pending |= bits << used;
        *at = pending;

        // Two shifts, because a shift by 64 would be none.
        ulong rest = (bits >> 1) >> (63 - used);
        int end = used + count;

        // All ones when the word is full: a choice without a branch, which would be a random one.
        ulong full = (ulong)((63L - end) >> 63);
        pending = (pending & ~full) | (rest & full);
        at += end >> 6;
        used = end & 63;
    }

    /// <summary>Writes the last word, and a zero word behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // Else the fields would live in memory, not in registers.
    public readonly void Finish()
    {
        at[0] = pending;
        at[1] = 0;
    }
}
