using System.Collections.Concurrent;

namespace ApolloCheckpoint.Mutants;

/// <summary>Removes guards, one at a time, under tests in which they refuse, until one fails.</summary>
internal sealed class MutantSurvey(Action<string> say)
{
    /// <summary>Parts of the tests that have nothing to do with the guards.</summary>
    private static readonly string[] Elsewhere =
    [
        ".Planning.",
        ".TestKit.",
        ".Diffing.",
        ".Model.",
        ".Archive.",
        ".Cuda.",
        ".Python.",
        ".Torch",
    ];

    private readonly ConcurrentDictionary<string, Outcome> whole = new();

    /// <summary>Tests that fail although nothing was removed: what they say of a mutant is worth nothing.</summary>
    internal IEnumerable<string> Broken =>
        whole.Where(row => row.Value.Failure is not null).Select(row => $"{row.Key}: {row.Value.Failure}");

    internal static bool IsCrash(string test) => test.StartsWith($"Mutants.{nameof(CrashProbes)}.", StringComparison.Ordinal);

    /// <summary>Every test that may notice something.</summary>
    internal List<string> Tests()
    {
        using MutantProcess process = new();
        return [.. process.List().Where(IsUsed).Select(test => test.Name)];
    }

    /// <summary>Runs tests with nothing removed, and learns which guards refuse in them.</summary>
    internal void Listen(IEnumerable<string> tests)
    {
        Each(tests, (process, test) => whole[test] = process.Run(0, test, TimeSpan.FromMinutes(5)));
        say($"{whole.Count} tests take {whole.Values.Sum(outcome => outcome.Time.TotalSeconds):F0} s");
    }

    /// <summary>Looks for a crash probe and another test that notice each guard, first those that did before; the reason is left open.</summary>
    internal List<GuardRow> Run(IEnumerable<Guard> guards, IReadOnlyDictionary<string, GuardRow> before)
    {
        ConcurrentDictionary<int, GuardRow> rows = new();
        Each(
            guards,
            (process, guard) =>
                rows[guard.Number] = new GuardRow(
                    guard.Key,
                    Noticing(process, guard, IsCrash, before.GetValueOrDefault(guard.Key)?.Crash),
                    Noticing(process, guard, name => !IsCrash(name), before.GetValueOrDefault(guard.Key)?.Test),
                    GuardRow.None
                )
        );
        return [.. rows.OrderBy(row => row.Key).Select(row => row.Value)];
    }

    /// <summary>Runs a test without a guard. A mutant that makes it hang is noticed too: it has twenty times as long as the whole engine.</summary>
    internal Outcome Run(MutantProcess process, Guard guard, string test) =>
        process.Run(guard.Number, test, TimeSpan.FromSeconds(10) + 20 * whole[test].Time);

    /// <summary>Does something for each of them, on as many processes as there are cores.</summary>
    internal void Each<T>(IEnumerable<T> items, Action<MutantProcess, T> action) =>
        Parallel.ForEach(
            Partitioner.Create(items, EnumerablePartitionerOptions.NoBuffering),
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            () => new MutantProcess(),
            (item, _, process) =>
            {
                action(process, item);
                return process;
            },
            process => process.Dispose()
        );

    private static bool IsUsed((string Name, string Rings) test) =>
        !Elsewhere.Any(part => test.Name.Contains(part, StringComparison.Ordinal))
        && (test.Rings is "" or "probe" || (test.Rings == "crash" && test.Name.Contains(".FlippedBit", StringComparison.Ordinal)));

    /// <summary>The quickest test that notices; one that draws its inputs by chance only where no other does.</summary>
    private string Noticing(MutantProcess process, Guard guard, Func<string, bool> isWanted, string? before)
    {
        string noticing = GuardRow.None;
        foreach (string test in Hearing(guard, isWanted).OrderByDescending(test => test == before))
        {
            if (Run(process, guard, test) is { Failure: { } failure } outcome)
            {
                say($"{guard.Key}: {test} ({outcome.Time.TotalSeconds:F1} s): {failure}");
                noticing = test;
                if (!failure.Contains("CsCheck_Seed", StringComparison.Ordinal))
                {
                    break;
                }
            }
        }

        return noticing;
    }

    private IEnumerable<string> Hearing(Guard guard, Func<string, bool> isWanted) =>
        whole
            .Where(row => isWanted(row.Key) && row.Value.Heard.Contains(guard.Number))
            .OrderBy(row => row.Value.Time)
            .Select(row => row.Key);
}
