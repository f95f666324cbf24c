using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Mutants;

/// <summary>guards.tsv, one row a guard, in the order of the text.</summary>
internal static class GuardTable
{
    private const string Head = "guard\tcrash probe that notices its removal\tother test that does\twhy none has to";
    private static readonly string Place = Repository.PathOf("tests", "Checkpoint.Mutants", "guards.tsv");

    internal static List<GuardRow> Read() =>
        File.Exists(Place)
            ?
            [
                .. File.ReadLines(Place)
                    .Skip(1)
                    .Select(line => line.Split('\t'))
                    .Select(part => new GuardRow(part[0], part[1], part[2], part[3])),
            ]
            : [];

    internal static void Write(IEnumerable<GuardRow> rows) => File.WriteAllLines(Place, [Head, .. rows.Select(row => row.ToString())]);
}
