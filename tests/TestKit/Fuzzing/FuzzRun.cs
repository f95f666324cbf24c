using System.Globalization;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.TestKit.Fuzzing;

/// <summary>
/// Gives one target its corpus and then spoilt copies of it, and measures each: only documented errors may leave, and no file under
/// 1 MB may cost more than <see cref="MostBytes"/> of memory or <see cref="MostTime"/> of processor time.
/// </summary>
/// <param name="target">The name of the target.</param>
/// <param name="seed">With the number of an input it says what the input is.</param>
public sealed class FuzzRun(string target, int seed)
{
    /// <summary>Bytes that reading one file may allocate.</summary>
    public const long MostBytes = 64L << 20;

    /// <summary>Processor time that reading one file may take: not the clock on the wall, which a busy machine stretches.</summary>
    public static readonly TimeSpan MostTime = TimeSpan.FromSeconds(2);

    private byte[] current = [];
    private long startedTicks;

    /// <summary>The target.</summary>
    public string Target => target;

    /// <summary>Files read.</summary>
    public long Inputs { get; private set; }

    /// <summary>Files refused with an error.</summary>
    public long Refused { get; private set; }

    /// <summary>Whether the parser refuses by an error; others take a spoilt file for no file.</summary>
    public bool CanRefuse { get; private set; }

    /// <summary>The most that one file allocated.</summary>
    public long Bytes { get; private set; }

    /// <summary>The most processor time that one file took.</summary>
    public TimeSpan Time { get; private set; }

    /// <summary>How long the file that is being read now has been at it, by the clock on the wall; zero when none is.</summary>
    public TimeSpan Waiting =>
        Interlocked.Read(ref startedTicks) is > 0 and var ticks
            ? TimeSpan.FromMilliseconds(Environment.TickCount64 - ticks)
            : TimeSpan.Zero;

    /// <summary>The numbers, as a line of a table.</summary>
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{target, -14} seed {seed, 10}  {Inputs, 9} inputs  {Refused, 9} refused  at most {Bytes / 1048576.0, 6:0.0} MiB  {Time.TotalMilliseconds, 7:0.0} ms"
        );

    /// <summary>Runs the corpus, the regressions, and then spoilt files.</summary>
    /// <param name="inputs">How many spoilt files.</param>
    /// <param name="cancellation">Ends it early, between two files.</param>
    /// <exception cref="FuzzException">A file got through; its bytes are kept, and the message says where.</exception>
    public void Run(long inputs, CancellationToken cancellation)
    {
        using FuzzTarget made = FuzzTargets.Make(target);
        CanRefuse = made.Refusals.Count > 0;
        foreach (byte[] file in made.Corpus.Concat(FuzzTargets.Regressions(target).Select(File.ReadAllBytes)))
        {
            Try(made, file);
        }

        for (long i = 0; i < inputs && !cancellation.IsCancellationRequested; i++)
        {
            Random random = new(unchecked((seed * 31) + (int)(i * 0x9E3779B1)));
            Try(made, made.Spoil(made.Corpus[random.Next(made.Corpus.Count)], random));
        }
    }

    /// <summary>Reads one file and holds it to the rules.</summary>
    /// <exception cref="FuzzException">It got through.</exception>
    public void Try(FuzzTarget made, byte[] file)
    {
        made.Place(file);
        current = file;
        Interlocked.Exchange(ref startedTicks, Environment.TickCount64);
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        TimeSpan time = ThreadClock.Now;
        Exception? failure = Read(made);
        time = ThreadClock.Now - time;
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        Interlocked.Exchange(ref startedTicks, 0);
        Inputs++;
        Bytes = Math.Max(Bytes, bytes);
        Time = time > Time ? time : Time;
        if (failure is not null)
        {
            throw Kept($"{failure.GetType().Name}: {failure.Message}", failure);
        }

        if (bytes > MostBytes || time > MostTime)
        {
            throw Kept($"reading it took {bytes} bytes of memory and {time.TotalSeconds:0.0} s of processor time");
        }
    }

    /// <summary>What is being read now, kept in a file: for who gives up waiting for it.</summary>
    public FuzzException Kept(string what, Exception? inner = null)
    {
        string path = Path.Combine(Path.GetTempPath(), $"apollo-fuzz-{target}-{Convert.ToHexStringLower(Digest(current))}");
        File.WriteAllBytes(path, current);
        return new FuzzException($"{target}, seed {seed}, input {Inputs}, kept as {path}: {what}", inner);
    }

    private Exception? Read(FuzzTarget made)
    {
        try
        {
            made.Read();
            return null;
        }
        catch (CheckpointException e) when (made.Refusals.Contains(e.Error) && IsPlain(e.Message))
        {
            Refused++;
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    /// <summary>A message ends, and is text and no orders to a terminal, whatever it quotes.</summary>
    private static bool IsPlain(string message) => message.Length is > 5 and < 1100 && !message.Any(char.IsControl);

    private static byte[] Digest(byte[] file) => System.IO.Hashing.XxHash64.Hash(file);
}
