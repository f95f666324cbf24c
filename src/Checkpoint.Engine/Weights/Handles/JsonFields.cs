using System.Text.Json;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Weights.Handles;

/// <summary>The fields of one JSON object of a handles file, each with the type it must have. A null field is a missing one.</summary>
/// <param name="element">The object.</param>
/// <param name="where">What it is, for messages: the path, and the tensor.</param>
internal readonly struct JsonFields(JsonElement element, string where)
{
    /// <summary>Largest JSON file read, bytes; the tensors of a 1 T parameter mixture of experts need a third of it.</summary>
    private const long MaxBytes = 64L << 20;

    /// <summary>Where it stands.</summary>
    internal string Where => where;

    /// <summary>Reads a whole file as JSON. A field that stands twice is refused, for readers differ in which one they take.</summary>
    /// <exception cref="CheckpointException">HandlesMalformed.</exception>
    internal static JsonDocument Parse(IDiskFile file)
    {
        long length = file.Length;
        if (length > MaxBytes)
        {
            throw HandlesFile.Malformed(file.Path, $"has {length} bytes, more than the {MaxBytes} that are read");
        }

        byte[] text = new byte[length];
        int read = file.Read(text, 0);
        try
        {
            JsonDocumentOptions options = new() { MaxDepth = 16, AllowDuplicateProperties = false };
            return JsonDocument.Parse(text.AsMemory(0, read), options);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second: a field's name that is no valid Unicode.
            throw HandlesFile.Malformed(file.Path, $"is not JSON: {e.Message}", e);
        }
    }

    /// <summary>Checks <c>format</c> and <c>version</c>.</summary>
    internal void ExpectFormat(string format, long version)
    {
        if (element.ValueKind != JsonValueKind.Object || OptionalText("format") != format)
        {
            throw Wrong($"does not say \"format\": \"{format}\"");
        }

        if (Number("version") is long found && found != version)
        {
            throw new CheckpointException(
                CheckpointError.HandlesMalformed,
                $"{where} has version {found}; this program reads version {version}",
                "use a hook and an apollo-checkpoint of the same age"
            );
        }
    }

    /// <summary>A text that must be there.</summary>
    internal string Text(string name) => OptionalText(name) ?? throw Wrong($"has no text \"{name}\"");

    /// <summary>A text, or null.</summary>
    internal string? OptionalText(string name) =>
        Field(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } value => AsText(value, name),
            _ => throw Wrong($"has a \"{name}\" that is not a text"),
        };

    /// <summary>A whole number from 0 to 2^63-1 that must be there.</summary>
    internal long Number(string name) => OptionalNumber(name) ?? throw Wrong($"has no number \"{name}\"");

    /// <summary>A whole number from 0 to 2^63-1, or null.</summary>
    internal long? OptionalNumber(string name) => Field(name) is { } value ? AsNumber(value, name) : null;

    /// <summary>True or false; missing is false.</summary>
    internal bool Flag(string name) =>
        Field(name)?.ValueKind switch
        {
            null or JsonValueKind.False => false,
            JsonValueKind.True => true,
            _ => throw Wrong($"has a \"{name}\" that is not true or false"),
        };

    /// <summary>Whole numbers, or null.</summary>
    internal List<long>? OptionalNumbers(string name)
    {
        if (OptionalItems(name) is not { } items)
        {
            return null;
        }

        List<long> numbers = [];
        foreach (JsonElement item in items)
        {
            numbers.Add(AsNumber(item, name));
        }

        return numbers;
    }

    /// <summary>Texts; the list must be there.</summary>
    internal List<string> Texts(string name)
    {
        List<string> texts = [];
        foreach (JsonElement item in OptionalItems(name) ?? throw Wrong($"has no list \"{name}\""))
        {
            texts.Add(
                item.ValueKind == JsonValueKind.String
                    ? AsText(item, name)
                    : throw Wrong($"has a \"{name}\" with something that is no text")
            );
        }

        return texts;
    }

    /// <summary>Objects of a list; none when it is missing and need not be there.</summary>
    internal List<JsonFields> Objects(string name, bool required = false)
    {
        List<JsonFields> objects = [];
        foreach (JsonElement item in OptionalItems(name) ?? (required ? throw Wrong($"has no list \"{name}\"") : default))
        {
            objects.Add(
                item.ValueKind == JsonValueKind.Object
                    ? new JsonFields(item, where)
                    : throw Wrong($"has a \"{name}\" with something that is no object")
            );
        }

        return objects;
    }

    /// <summary>An object, or null.</summary>
    internal JsonFields? OptionalObject(string name) =>
        Field(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Object } value => new JsonFields(value, where),
            _ => throw Wrong($"has a \"{name}\" that is no object"),
        };

    /// <summary>Whether the field says anything: it is there, and neither null nor false.</summary>
    internal bool Has(string name) => Field(name) is { ValueKind: not JsonValueKind.False };

    /// <summary>Whether the field is a list.</summary>
    internal bool IsList(string name) => Field(name)?.ValueKind == JsonValueKind.Array;

    /// <summary>The same fields, called something else in messages.</summary>
    internal JsonFields In(string place) => new(element, place);

    /// <summary>The exception for something that is wrong in here.</summary>
    internal CheckpointException Wrong(string what) => HandlesFile.Malformed(where, what);

    private JsonElement.ArrayEnumerator? OptionalItems(string name) =>
        Field(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Array } value => value.EnumerateArray(),
            _ => throw Wrong($"has a \"{name}\" that is no list"),
        };

    private JsonElement? Field(string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private string AsText(JsonElement value, string name)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong($"has a \"{name}\" that is not valid Unicode");
        }
    }

    private long AsNumber(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= 0
            ? number
            : throw Wrong($"has a \"{name}\" that is no whole number from 0 to 2^63-1");
}
