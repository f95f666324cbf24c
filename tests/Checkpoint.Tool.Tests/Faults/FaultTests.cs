using System.Collections.Concurrent;
using System.Globalization;
using Xunit.Abstractions;

namespace ApolloCheckpoint.Tool.Tests.Faults;

/// <summary>
/// The real tool, as a process on a real file system, with a fault at every write, flush, reservation, truncation, new name, rename and
/// removal of a sync: counted first, then one run each. Whatever happens, the next command finds the old or the new model.
/// </summary>
[Trait("Ring", "crash")]
public sealed class FaultTests(ITestOutputHelper output)
{
    private const int Killed = 137;
    private readonly ConcurrentDictionary<string, int> ends = new(StringComparer.Ordinal);

    private static readonly string[] InEveryRun =
    [
        "patch lose",
        "patch eio",
        "patch nospc",
        "patch short",
        "patch torn",
        "replace kill",
        "replace eio",
        "replace full",
        "replace short",
    ];

    /// <summary>How it folds, and what happens to each operation: some in every run, all in a soak.</summary>
    public static TheoryData<string, string> Faults
    {
        get
        {
            TheoryData<string, string> rows = [];
            bool isSoak = Environment.GetEnvironmentVariable("APOLLO_SOAK") is not null;
            foreach (string way in new[] { "patch", "replace" })
            {
                foreach (string kind in new[] { "kill", "lose", "eio", "nospc", "full", "short", "torn" })
                {
                    if (isSoak || InEveryRun.Contains($"{way} {kind}"))
                    {
                        rows.Add(way, kind);
                    }
                }
            }

            return rows;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Faults))]
    public void Any_fault_at_any_operation_of_a_sync_leaves_the_old_or_the_new_model(string way, string kind)
    {
        Skip.If(FaultShim.Library is null, "the fault shim needs a C compiler (cc)");
        using FaultScene scene = new(way);
        IReadOnlyList<string> operations = scene.Count().Operations;
        Assert.InRange(operations.Count, 40, 400);
        Parallel.ForEach(
            Enumerable.Range(1, operations.Count).Where(n => Applies(kind, operations[n - 1])),
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            n => Try(scene, kind, n, operations[n - 1])
        );
        output.WriteLine(
            $"{kind} at {ends.Values.Sum()} of {operations.Count} operations of a sync by {way}: "
                + string.Join(", ", ends.OrderBy(row => row.Key, StringComparer.Ordinal).Select(row => $"{row.Value} × {row.Key}"))
        );
    }

    /// <summary>Half a write is a thing of writes; a disk that is full refuses what takes space, and a flush may find out late.</summary>
    private static bool Applies(string kind, string operation) =>
        kind switch
        {
            "short" or "torn" => operation.StartsWith("pwrite", StringComparison.Ordinal),
            "nospc" => operation.Split(' ')[0] is "pwrite" or "fallocate" or "create" or "mkdir" or "fsync",
            "full" => operation.Split(' ')[0] is "pwrite" or "fallocate" or "create" or "mkdir",
            _ => true,
        };

    private void Try(FaultScene scene, string kind, int n, string operation)
    {
        try
        {
            FaultRun done = scene.Run(FaultRun.Fault(n, kind), out string model);
            Assert.Contains(done.Run.ExitCode, kind is "kill" or "lose" ? [Killed] : new[] { 0, 15 });
            Assert.True(
                done.Run.ExitCode != 0 || kind is not ("eio" or "torn") || !done.Log.Contains("+ failed") || IsOfTheReserve(operation),
                "it says that all is well"
            );
            Assert.Null(done.TrustedAfterFailedFlush());
            long newest = scene.Judge(model);
            Assert.True(done.Run.ExitCode != 0 || newest == 2, "it says that version 2 exists, and it does not");
            string end = done.Run.ExitCode == Killed ? "killed" : string.Create(CultureInfo.InvariantCulture, $"exit {done.Run.ExitCode}");
            ends.AddOrUpdate($"{end}, {(newest == 2 ? "new" : "old")}", 1, (_, count) => count + 1);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{kind} at operation {n} ({operation}): {e.Message}", e);
        }
    }

    /// <summary>A reserve that cannot be made is no failure: it is space kept back for a disk that is full.</summary>
    private static bool IsOfTheReserve(string operation) => operation.EndsWith("/reserve", StringComparison.Ordinal);
}
