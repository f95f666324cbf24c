namespace ApolloCheckpoint.Benchmarks;

/// <summary>What the codec does at one density.</summary>
/// <param name="Changed">Share of the elements that changed.</param>
/// <param name="Share">Bytes of the code, of those of the model.</param>
/// <param name="BitsAChange">Bits of the code a changed element.</param>
/// <param name="Encode">GB/s of one side.</param>
/// <param name="Forward">GB/s, decoded forward.</param>
/// <param name="Back">GB/s, decoded back.</param>
internal sealed record CodecRates(double Changed, double Share, double BitsAChange, double Encode, double Forward, double Back);
