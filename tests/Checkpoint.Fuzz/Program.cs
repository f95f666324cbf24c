using System.Globalization;
using ApolloCheckpoint.TestKit.Fuzzing;
using SharpFuzz;

namespace ApolloCheckpoint.Fuzz;

/// <summary>The fuzz targets of the test run under a fuzzer that looks at coverage, or under our own for as long as one likes.</summary>
internal static class Program
{
    private const string Usage = """
        usage: checkpoint-fuzz targets                   the names
               checkpoint-fuzz corpus TARGET FOLDER      writes the files to begin from
               checkpoint-fuzz try TARGET FILE...        reads files, as the test run does
               checkpoint-fuzz mutate TARGET MINUTES     spoils and reads, seeds printed
               checkpoint-fuzz instrument ASSEMBLY       puts coverage counters into it, once, in place
               checkpoint-fuzz afl TARGET                under afl-fuzz, which gives the file on standard input
               checkpoint-fuzz libfuzzer TARGET          under libfuzzer-dotnet
        """;

    private static int Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["targets"]:
                Console.WriteLine(string.Join('\n', FuzzTargets.Names));
                return 0;
            case ["corpus", var target, var folder]:
                WriteCorpus(target, folder);
                return 0;
            case ["try", var target, .. var files]:
                return Try(target, files);
            case ["mutate", var target, var minutes]:
                return Mutate(target, TimeSpan.FromMinutes(double.Parse(minutes, CultureInfo.InvariantCulture)));
            case ["instrument", var assembly]:
                foreach (
                    string type in Fuzzer.Instrument(
                        assembly,
                        static type => type.StartsWith("ApolloCheckpoint.", StringComparison.Ordinal),
                        Options.Value
                    )
                )
                {
                    Console.WriteLine(type);
                }

                return 0;
            case ["afl", var target]:
                Fuzzer.OutOfProcess.Run(stream => Read(target, stream));
                return 0;
            case ["libfuzzer", var target, ..]:
                using (FuzzTarget made = FuzzTargets.Make(target))
                {
                    FuzzRun run = new(target, 0);
                    Fuzzer.LibFuzzer.Run(bytes => run.Try(made, bytes.ToArray()));
                }

                return 0;
            default:
                Console.Error.WriteLine(Usage);
                return 2;
        }
    }

    private static void WriteCorpus(string target, string folder)
    {
        Directory.CreateDirectory(folder);
        using FuzzTarget made = FuzzTargets.Make(target);
        int number = 0;
        foreach (byte[] file in made.Corpus.Concat(FuzzTargets.Regressions(target).Select(File.ReadAllBytes)))
        {
            File.WriteAllBytes(Path.Combine(folder, number++.ToString("D4", CultureInfo.InvariantCulture)), file);
        }
    }

    private static int Try(string target, string[] files)
    {
        using FuzzTarget made = FuzzTargets.Make(target);
        FuzzRun run = new(target, 0);
        int failed = 0;
        foreach (string file in files)
        {
            try
            {
                run.Try(made, File.ReadAllBytes(file));
                Console.WriteLine($"{file}: read or refused");
            }
            catch (FuzzException e)
            {
                failed++;
                Console.WriteLine($"{file}: {e}");
            }
        }

        Console.WriteLine(run);
        return failed == 0 ? 0 : 1;
    }

    private static int Mutate(string target, TimeSpan time)
    {
        using CancellationTokenSource end = new(time);
        for (int failed = 0; ; failed = 1)
        {
            FuzzRun run = new(target, Environment.TickCount);
            try
            {
                run.Run(long.MaxValue, end.Token);
                Console.WriteLine(run);
                return failed;
            }
            catch (FuzzException e)
            {
                Console.WriteLine(e);
            }
        }
    }

    private static void Read(string target, Stream input)
    {
        using FuzzTarget made = FuzzTargets.Make(target);
        using MemoryStream file = new();
        input.CopyTo(file);
        new FuzzRun(target, 0).Try(made, file.ToArray());
    }
}
