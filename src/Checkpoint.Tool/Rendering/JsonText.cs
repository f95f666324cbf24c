using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>Small helpers over <see cref="Utf8JsonWriter"/>, so that every verb's JSON looks the same.</summary>
internal static class JsonText
{
    /// <summary>Writes one document and a newline. Names with any letters stay readable: the output is no HTML.</summary>
    public static void Write(TextWriter writer, Action<Utf8JsonWriter> body, bool indented = true)
    {
        using MemoryStream stream = new();
        JsonWriterOptions options = new()
        {
            Indented = indented,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        using (Utf8JsonWriter json = new(stream, options))
        {
            body(json);
        }

        writer.WriteLine(Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length));
    }

    /// <summary>A number, or null.</summary>
    public static void Optional(Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    /// <summary>A text, or null.</summary>
    public static void Optional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is null)
        {
            json.WriteNull(name);
        }
        else
        {
            json.WriteString(name, value);
        }
    }

    /// <summary>A list of texts.</summary>
    public static void Strings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }

    /// <summary>A list of numbers.</summary>
    public static void Numbers(Utf8JsonWriter json, string name, IEnumerable<long> values)
    {
        json.WriteStartArray(name);
        foreach (long value in values)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }
}
