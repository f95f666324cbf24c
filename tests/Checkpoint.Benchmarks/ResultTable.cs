using System.Text;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>The one table of a run: a row a measured number, blank where it could not be measured, with the reason below.</summary>
internal sealed class ResultTable
{
    private readonly List<string[]> rows = [];
    private readonly List<string> notes = [];

    /// <summary>Adds a row.</summary>
    /// <param name="what">What was measured.</param>
    /// <param name="measured">The numbers with their units.</param>
    /// <param name="goal">What is to be reached, or empty.</param>
    /// <param name="isReached">Whether it was; null where there is no goal.</param>
    public void Add(string what, string measured, string goal = "", bool? isReached = null)
    {
        rows.Add([
            what,
            measured,
            goal,
            isReached switch
            {
                true => "yes",
                false => "**no**",
                null => "",
            },
        ]);
        Console.Error.WriteLine($"  {what}: {measured}");
    }

    /// <summary>Adds a row that could not be measured.</summary>
    public void Blank(string what, string goal, string reason)
    {
        Add(what, "", goal);
        Note($"{what}: not measured, {reason}");
    }

    /// <summary>Adds a line below the table.</summary>
    public void Note(string line) => notes.Add(line);

    /// <summary>Runs a section; what fails in it is said below the table, and the other sections go on.</summary>
    public void Section(string name, Action body)
    {
        Console.Error.WriteLine(name);
        try
        {
            body();
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or Engine.CheckpointException)
        {
            Blank(name, "", e.Message);
        }
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        StringBuilder text = new("| what | measured | to reach | reached |\n|---|---|---|---|\n");
        foreach (string[] row in rows)
        {
            text.Append("| ").AppendJoin(" | ", row).Append(" |\n");
        }

        text.Append('\n');
        foreach (string note in notes)
        {
            text.Append("- ").Append(note).Append('\n');
        }

        return text.ToString();
    }
}
