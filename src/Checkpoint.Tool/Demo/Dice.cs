namespace ApolloCheckpoint.Tool.Demo;

/// <summary>A small seeded generator (xorshift64*, Vigna 2016): the same seed gives the same demo on every machine.</summary>
internal sealed class Dice(ulong seed)
{
    // Zero would stay zero for ever; the constant is the golden ratio's, as in splitmix64.
    private ulong state = (seed + 1) * 0x9E3779B97F4A7C15;

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return state * 0x2545F4914F6CDD1D;
    }

    /// <summary>A number in (0, 1].</summary>
    public double NextUnit() => ((Next() >> 11) + 1) * (1.0 / (1UL << 53));

    /// <summary>How many elements to skip until the next one that changes, when each changes with that probability.</summary>
    public long NextGap(double share) => share >= 1 ? 0 : (long)(Math.Log(NextUnit()) / Math.Log(1 - share));
}
