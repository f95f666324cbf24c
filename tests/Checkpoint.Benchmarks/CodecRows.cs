namespace ApolloCheckpoint.Benchmarks;

/// <summary>Rates of the codec on one core, by processor time.</summary>
internal static class CodecRows
{
    /// <summary>Measures.</summary>
    public static void Measure(ResultTable table)
    {
        CodecBenchmark benchmark = new(scalar: false);
        table.Add("memcmp of equal data, one core", $"{benchmark.Compare():F2} GB/s (xxh3-128: {benchmark.Digest():F2} GB/s)");
        foreach ((float deviation, double goal) in new[] { (3e-8f, 2.0), (1.1e-7f, 2.0), (9e-7f, 1.0) })
        {
            CodecRates rates = benchmark.Measure(deviation);
            table.Add(
                $"codec, {rates.Changed:P2} of elements changed, one core",
                $"encode {rates.Encode:F2}, decode {rates.Forward:F2}, back {rates.Back:F2} GB/s of model; {rates.BitsAChange:F2} bits a change",
                $"≥ {goal:F0} GB/s",
                Math.Min(rates.Encode, rates.Forward) >= goal
            );
        }
    }
}
