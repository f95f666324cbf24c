namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>The parameters of the class before, from which the next one's are told as differences.</summary>
internal struct ClassParameters()
{
    /// <summary>
    /// One more than the parameter of the gaps before: with every exponent the share that changes falls by about half. 0 at first.
    /// </summary>
    public int PredictedGapK;

    /// <summary>Parameter of the gaps between flags.</summary>
    public int FlagK = 1;

    /// <summary>Parameter of the magnitudes.</summary>
    public int MagnitudeK;
}
