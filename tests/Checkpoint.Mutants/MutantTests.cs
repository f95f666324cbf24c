using Xunit;
using Xunit.Abstractions;

namespace ApolloCheckpoint.Mutants;

/// <summary>
/// The tests are themselves tested: every guard of the engine is removed, one at a time, and a test must fail. Which one is in guards.tsv;
/// a guard that nothing has to notice is there with the reason. With APOLLO_SOAK set every test is tried on the idle ones, and with
/// APOLLO_MUTANTS=renew the table is written anew (reasons are kept).
/// </summary>
[Trait("Ring", "mutants")]
public sealed class MutantTests(ITestOutputHelper output)
{
    private readonly Lock gate = new();

    [Fact]
    public void Every_guard_that_is_removed_is_noticed_or_is_known_to_be_idle()
    {
        IReadOnlyList<Guard> guards = MutantBuild.Run();
        MutantSurvey survey = new(Say);
        bool isRenewed = Environment.GetEnvironmentVariable("APOLLO_MUTANTS") == "renew";
        if (isRenewed)
        {
            Renew(guards, survey);
        }

        Dictionary<string, GuardRow> known = GuardTable.Read().ToDictionary(row => row.Guard);
        string[] wrong =
        [
            .. guards.Where(guard => !known.ContainsKey(guard.Key)).Select(guard => $"new, not in guards.tsv: {guard.Key}"),
            .. known.Keys.Except(guards.Select(guard => guard.Key)).Select(key => $"gone, still in guards.tsv: {key}"),
            .. known
                .Values.Where(row => row.IsIdle == (row.Reason == GuardRow.None))
                .Select(row => $"needs a test or a reason, one of both: {row.Guard}"),
        ];
        Assert.True(
            wrong.Length == 0,
            $"{string.Join('\n', wrong)}\nto write the table anew: APOLLO_MUTANTS=renew dotnet test tests/Checkpoint.Mutants -c Release --filter Ring=mutants"
        );
        output.WriteLine(
            $"{guards.Count} guards: {known.Values.Count(row => row.Crash != GuardRow.None)} noticed by crash images, "
                + $"{known.Values.Count(row => row.Crash == GuardRow.None && !row.IsIdle)} by other tests, {known.Values.Count(row => row.IsIdle)} idle"
        );
        if (!isRenewed)
        {
            Verify(guards, known, survey);
        }
    }

    private void Verify(IReadOnlyList<Guard> guards, Dictionary<string, GuardRow> known, MutantSurvey survey)
    {
        bool isSoak = Environment.GetEnvironmentVariable("APOLLO_SOAK") is not null;
        string[] named = [.. known.Values.SelectMany(row => row.Tests).Distinct()];
        survey.Listen(isSoak ? survey.Tests() : named);
        Assert.Empty(survey.Broken);
        List<string> wrong = [];
        survey.Each(
            guards.Where(guard => !known[guard.Key].IsIdle),
            (process, guard) =>
            {
                foreach (string test in known[guard.Key].Tests.Where(test => survey.Run(process, guard, test).Failure is null))
                {
                    lock (gate)
                    {
                        wrong.Add($"{test} does not notice that this is gone: {guard.Key}");
                    }
                }
            }
        );
        IEnumerable<GuardRow> noticed = survey.Run(guards.Where(guard => known[guard.Key].IsIdle), known).Where(row => !row.IsIdle);
        wrong.AddRange(
            noticed.Select(row => $"{string.Join(", ", row.Tests)} notices that this is gone, though it is said to be idle: {row.Guard}")
        );
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static void Renew(IReadOnlyList<Guard> guards, MutantSurvey survey)
    {
        Dictionary<string, GuardRow> before = GuardTable.Read().ToDictionary(row => row.Guard);
        survey.Listen(survey.Tests());
        Assert.Empty(survey.Broken);
        GuardTable.Write(
            survey
                .Run(guards, before)
                .Select(row => row.IsIdle ? row with { Reason = before.GetValueOrDefault(row.Guard)?.Reason ?? GuardRow.None } : row)
        );
    }

    private void Say(string line)
    {
        lock (gate)
        {
            output.WriteLine(line);
            File.AppendAllText(Path.Combine(MutantBuild.Scratch, "log.txt"), $"{line}\n");
        }
    }
}
