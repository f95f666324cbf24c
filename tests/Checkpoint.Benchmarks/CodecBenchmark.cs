using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>
/// Rates of the codec on one core, beside what the memory gives (a comparison of equal data) and the digest. GB/s are bytes of one
/// side a second of processor time, in the best of several rounds: other work on the machine neither counts nor helps.
/// </summary>
internal sealed class CodecBenchmark
{
    private const int Chunks = 48;
    private const int Rounds = 7;
    private readonly MadeModel model = new(Chunks);
    private readonly ChunkCodec codec;
    private readonly byte[] work;

    /// <summary>Makes the data.</summary>
    /// <param name="scalar">Whether to measure the scalar path.</param>
    public CodecBenchmark(bool scalar)
    {
        codec = scalar ? new ChunkCodec(useVectors: false) : new ChunkCodec();
        work = (byte[])model.Before.Clone();
    }

    /// <summary>Runs and prints.</summary>
    /// <param name="scalar">Whether to measure the scalar path.</param>
    public static void Run(bool scalar)
    {
        CodecBenchmark benchmark = new(scalar);
        Console.WriteLine($"{benchmark.work.Length / 1e6:F0} MB of bf16 a side, {(scalar ? "scalar path" : "this processor's path")}");
        Console.WriteLine($"memcmp of equal data {benchmark.Compare():F2} GB/s");
        Console.WriteLine($"xxh3-128 {benchmark.Digest():F2} GB/s");
        Console.WriteLine("changed   bytes of the model   bits a change   encode   decode   back  GB/s");
        foreach (float deviation in new[] { 3e-8f, 1.1e-7f, 9e-7f, 4.5e-6f, 1.7e-5f })
        {
            CodecRates rates = benchmark.Measure(deviation);
            Console.WriteLine(
                $"{rates.Changed, 7:P2}   {rates.Share * 100, 16:F3} %   {rates.BitsAChange, 13:F2}   {rates.Encode, 6:F2}   {rates.Forward, 6:F2}   {rates.Back, 4:F2}"
            );
        }
    }

    /// <summary>GB/s of comparing equal data.</summary>
    public double Compare() => Rate(chunk => Chunk(model.Before, chunk).SequenceEqual(Chunk(work, chunk)));

    /// <summary>GB/s of xxh3-128.</summary>
    public double Digest() => Rate(chunk => Digest128.Of(Chunk(work, chunk)));

    /// <summary>Codes and decodes one update.</summary>
    /// <param name="deviation">Its standard deviation.</param>
    public CodecRates Measure(float deviation)
    {
        double changed = model.Update(deviation);
        List<(ChunkEncoding Encoding, byte[] Payload)> delta = [];
        for (int chunk = 0; chunk < Chunks; chunk++)
        {
            EncodedChunk encoded = codec.Encode(ElementType.BF16, ElementType.BF16, Chunk(model.Before, chunk), Chunk(model.After, chunk));
            delta.Add((encoded.Encoding, encoded.Payload.ToArray()));
        }

        double encode = Rate(chunk =>
            codec.Encode(ElementType.BF16, ElementType.BF16, Chunk(model.Before, chunk), Chunk(model.After, chunk))
        );
        double forward = 0;
        double back = 0;
        for (int round = 0; round < Rounds; round++)
        {
            forward = Math.Max(forward, Pass(chunk => Apply(codec, delta[chunk], Chunk(work, chunk), backward: false)));
            Require(work.AsSpan().SequenceEqual(model.After));
            back = Math.Max(back, Pass(chunk => Apply(codec, delta[chunk], Chunk(work, chunk), backward: true)));
            Require(work.AsSpan().SequenceEqual(model.Before));
        }

        long bytes = delta.Sum(chunk => (long)chunk.Payload.Length);
        double bits = bytes * 8.0 / (changed * model.Before.Length / 2);
        return new CodecRates(changed, bytes / (double)model.Before.Length, bits, encode, forward, back);
    }

    private static void Apply(ChunkCodec codec, (ChunkEncoding Encoding, byte[] Payload) coded, Span<byte> bytes, bool backward) =>
        codec.Apply(coded.Encoding, ElementType.BF16, ElementType.BF16, coded.Payload, bytes, backward);

    private static Span<byte> Chunk(byte[] model, int chunk) => model.AsSpan(chunk * MadeModel.ChunkBytes, MadeModel.ChunkBytes);

    private static double Rate(Action<int> measured) => Enumerable.Range(0, Rounds).Max(_ => Pass(measured));

    /// <summary>GB/s of one pass over all chunks, by the processor time it took.</summary>
    private static double Pass(Action<int> measured)
    {
        TimeSpan start = Environment.CpuUsage.TotalTime;
        for (int chunk = 0; chunk < Chunks; chunk++)
        {
            measured(chunk);
        }

        return Chunks * (double)MadeModel.ChunkBytes / (Environment.CpuUsage.TotalTime - start).TotalNanoseconds;
    }

    private static void Require(bool holds)
    {
        if (!holds)
        {
            throw new InvalidOperationException("the codec did not restore the model");
        }
    }
}
