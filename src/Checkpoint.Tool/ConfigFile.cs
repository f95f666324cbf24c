using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool;

/// <summary>
/// <c>--config FILE</c>: options from a JSON file, named as on the command line without the dashes:
/// <code>{ "model-dir": "/models/m", "every": "10m", "keep": 7, "fold-first": true }</code>
/// They become words of the command line before it is parsed, so that there is one description and one check of every option. What is
/// typed wins. Comments and trailing commas are allowed.
/// </summary>
internal static class ConfigFile
{
    private const string Name = "--config";

    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>The option, for the help; <see cref="Expand"/> has taken its value by then.</summary>
    public static Option<string?> Option() =>
        new(Name) { Description = "A JSON file with options, named as here without the dashes; what is typed wins", HelpName = "FILE" };

    /// <summary>The words with those of the file behind them.</summary>
    /// <exception cref="CheckpointException">Usage: the file cannot be read or understood.</exception>
    public static IReadOnlyList<string> Expand(IReadOnlyList<string> words)
    {
        int place = words.ToList().IndexOf(Name);
        if (place < 0 || place + 1 >= words.Count)
        {
            return words;
        }

        string file = words[place + 1];
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllText(file), Lenient);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw Unusable(file, "it is not an object of options");
            }

            return [.. words, .. json.RootElement.EnumerateObject().SelectMany(property => Words(file, property, words))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw Unusable(file, e.Message);
        }
    }

    private static string[] Words(string file, JsonProperty property, IReadOnlyList<string> typed)
    {
        string name = "--" + property.Name;
        bool isTyped = typed.Any(word => word == name || word.StartsWith(name + "=", StringComparison.Ordinal));
        return (isTyped, property.Value.ValueKind) switch
        {
            (true, _) or (_, JsonValueKind.False) => [],
            (_, JsonValueKind.True) => [name],
            // One word, so that a value that begins with a dash stays a value.
            (_, JsonValueKind.String) => [$"{name}={property.Value.GetString()}"],
            (_, JsonValueKind.Number) => [string.Create(CultureInfo.InvariantCulture, $"{name}={property.Value.GetRawText()}")],
            _ => throw Unusable(file, $"{property.Name} is neither text, number, true nor false"),
        };
    }

    private static CheckpointException Unusable(string file, string why) =>
        new(
            CheckpointError.Usage,
            $"--config {file}: {why}",
            """for example { "model-dir": "/models/m", "handles": "/run/user/1000/apollo", "every": "10m" }"""
        );
}
