namespace ApolloCheckpoint.Tool.Installing;

/// <summary>Crontab lines. cron turns a percent sign into a line break, and gives the rest to sh.</summary>
internal static class CrontabText
{
    /// <summary>The lines, for <c>crontab -e</c> of the user.</summary>
    public static string Of(InstallPlan plan)
    {
        plan.Check();
        string[] target = plan.Target is null ? [] : ["--target", plan.Target];
        return $"""
            # apollo-checkpoint, for "crontab -e" of {plan.User}. A sync that finds another one at work ends with 13 and changes nothing.
            # Exit codes: 0 done; anything else is a failure, and cron mails what was said.
            */10 * * * * {Line(plan, ["sync", "--model-dir", plan.ModelDirectory, "--handles", plan.Handles])} >/dev/null
            25 * * * * {Line(plan, ["offsite", "--deltas", "--model-dir", plan.ModelDirectory, .. target])} >/dev/null
            30 3 * * * {Line(plan, ["offsite", "--once", "--model-dir", plan.ModelDirectory, .. target])} >/dev/null
            0 5 * * 0 {Line(plan, ["offsite", "--drill", "--model-dir", plan.ModelDirectory, .. target])} >/dev/null

            """;
    }

    private static string Line(InstallPlan plan, string[] words) => string.Join(' ', plan.Program.Concat(words).Select(Word));

    private static string Word(string word)
    {
        bool isPlain = word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '-' or '_' or '.' or ':' or '@' or '=');
        string quoted = isPlain ? word : Rsync.FarScripts.Quote(word);
        return quoted.Replace("%", @"\%", StringComparison.Ordinal);
    }
}
