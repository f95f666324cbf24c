using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Installing;

/// <summary>What is installed, for whom.</summary>
/// <param name="ModelDirectory">The model, absolute.</param>
/// <param name="Handles">What the producer publishes.</param>
/// <param name="Target">Where copies go, or null: the default.</param>
/// <param name="User">Who runs it.</param>
/// <param name="Program">Words that start this tool.</param>
internal sealed record InstallPlan(string ModelDirectory, string Handles, string? Target, string User, IReadOnlyList<string> Program)
{
    /// <summary>The model's name: the last folder.</summary>
    public string Name => Path.GetFileName(ModelDirectory.TrimEnd('/'));

    /// <summary>Refuses what no file of units or lines can hold.</summary>
    /// <exception cref="CheckpointException">Usage.</exception>
    public void Check()
    {
        foreach (string word in (string[])[ModelDirectory, Handles, Target ?? "", User, .. Program])
        {
            if (word.Any(char.IsControl))
            {
                throw new CheckpointException(
                    CheckpointError.Usage,
                    $"'{string.Concat(word.Where(c => !char.IsControl(c)))}' holds a control character",
                    "no unit and no crontab can hold one; use a path without"
                );
            }
        }

        if (User.Length == 0 || !User.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.') || User[0] is '-' or '.')
        {
            throw new CheckpointException(CheckpointError.Usage, $"'{User}' is no name of a user", "for example --user vllm");
        }
    }
}
