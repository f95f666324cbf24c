using System.Runtime.Intrinsics;

namespace ApolloCheckpoint.Engine.Diffing;

/// <summary>A 16-bit float and its way from and to a single. Round(Widen(x)) is x for every pattern, NaNs too.</summary>
internal interface INarrowFloat
{
    /// <summary>Rounds the bits of a single, to nearest, ties to even; a NaN keeps its upper bits and stays a NaN.</summary>
    static abstract uint Round(uint single);

    /// <summary>The bits of the single of the same value; a NaN keeps its bits.</summary>
    static abstract uint Widen(uint narrow);

    /// <inheritdoc cref="Round(uint)"/>
    static abstract Vector256<uint> Round(Vector256<uint> single);

    /// <inheritdoc cref="Widen(uint)"/>
    static abstract Vector256<uint> Widen(Vector256<uint> narrow);
}
