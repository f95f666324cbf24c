using System.CommandLine;
using System.Globalization;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary>Options that several verbs share, made in one place so that they are called and described alike.</summary>
internal static class CommonOptions
{
    /// <summary>The default of the old program.</summary>
    internal const string DefaultHandles = "/tmp/vllm_weight_handles.pt";

    /// <summary>--model-dir DIR, required.</summary>
    public static Option<string> ModelDirectory() =>
        new("--model-dir")
        {
            Description = "The model directory: model.safetensors.index.json with its shards, or model.safetensors",
            HelpName = "DIR",
            Required = true,
        };

    /// <summary>--handles PATH.</summary>
    public static Option<string> Handles() =>
        new("--handles")
        {
            Description = "What the producer's hook published: a .pt file, a handles directory or one rank's JSON",
            HelpName = "PATH",
            DefaultValueFactory = _ => DefaultHandles,
        };

    /// <summary>--json.</summary>
    public static Option<bool> Json() => new("--json") { Description = "Report as JSON (fields may be added, never renamed)" };

    /// <summary>An option that takes one of a few words, spelled in lower case.</summary>
    /// <remarks>The default is the enumeration's zero.</remarks>
    public static Option<T> Choice<T>(string name, string description)
        where T : struct, Enum
    {
        string[] words = [.. Enum.GetNames<T>().Select(Spell)];
        Option<T> option = new(name)
        {
            Description = description,
            HelpName = string.Join('|', words),
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                int index = Array.IndexOf(words, text);
                if (index < 0)
                {
                    result.AddError($"{name} '{text}' is none of: {string.Join(", ", words)}");
                    return default;
                }

                return Enum.GetValues<T>()[index];
            },
        };
        option.Description += $" [default: {Spell(default(T).ToString())}]";
        option.CompletionSources.Add(words);
        return option;
    }

    /// <summary>An option that takes a duration.</summary>
    public static Option<TimeSpan?> Duration(string name, string description) =>
        new(name)
        {
            Description = description,
            HelpName = "TIME",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (DurationText.TryParse(text, out TimeSpan duration))
                {
                    return duration;
                }

                result.AddError($"{name} '{text}' is not {DurationText.Wanted}");
                return null;
            },
        };

    /// <summary>An option that takes a whole number.</summary>
    public static Option<int> Number(string name, string helpName, string description, int fallback, int lowest = 1) =>
        new(name)
        {
            Description = description,
            HelpName = helpName,
            DefaultValueFactory = _ => fallback,
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= lowest)
                {
                    return value;
                }

                result.AddError($"{name} '{text}' is not a whole number of at least {lowest}");
                return fallback;
            },
        };

    private static string Spell(string name) => name.ToLowerInvariant();
}
