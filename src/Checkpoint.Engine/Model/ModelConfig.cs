using System.Text.Json;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Model;

/// <summary>
/// What the planner wants to know of <c>config.json</c>. Multimodal models nest the language model under <c>text_config</c>; a number
/// is taken from there first. Everything may be absent: sizes are decided by headers, the configuration only confirms them.
/// </summary>
public sealed record ModelConfig
{
    /// <summary>Largest file accepted, bytes; real ones have a few thousand.</summary>
    private const long MaxBytes = 16L << 20;

    /// <summary>The model classes, usually one: "Qwen3ForCausalLM".</summary>
    public IReadOnlyList<string> Architectures { get; init; } = [];

    /// <summary>Whether embedding and head are one tensor, at either level; null when neither level says.</summary>
    public bool? TieWordEmbeddings { get; init; }

    /// <summary>The quantisation method ("fp8", "awq"), "unknown" when it is not named, or null for a model without.</summary>
    public string? Quantization { get; init; }

    /// <summary>Query heads of an attention layer, or null.</summary>
    public long? AttentionHeads { get; init; }

    /// <summary>Key and value heads of an attention layer; as many as query heads where the file does not say.</summary>
    public long? KeyValueHeads { get; init; }

    /// <summary>Experts of a mixture layer, or null.</summary>
    public long? Experts { get; init; }

    /// <summary>Rows that the vocabulary has, without padding, or null.</summary>
    public long? VocabularySize { get; init; }

    /// <summary>Reads config.json.</summary>
    /// <param name="disk">Where the file is.</param>
    /// <param name="path">The file, as a rule <see cref="ModelDirectory.ConfigPath"/>.</param>
    /// <returns>Null when there is no such file.</returns>
    /// <exception cref="CheckpointException">ConfigMalformed.</exception>
    public static ModelConfig? TryRead(IDisk disk, string path)
    {
        if (disk.Stat(path) is not { } entry)
        {
            return null;
        }

        // A hub cache links it; it is only read, so the link is followed.
        string real = entry.Kind == FileEntryKind.Link ? disk.ResolveLink(path) : path;
        using IDiskFile file = disk.Open(real);
        if (file.Length > MaxBytes)
        {
            throw Malformed(path, $"has {file.Length} bytes, more than the {MaxBytes} that are read");
        }

        byte[] text = new byte[file.Length];
        int length = file.Read(text, 0);
        try
        {
            return Parse(text.AsMemory(0, length));
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw Malformed(path, e.Message);
        }
    }

    /// <summary>Reads the JSON text.</summary>
    /// <exception cref="JsonException">It is not JSON (the reader's own subclass), or not an object.</exception>
    /// <exception cref="FormatException">A field that is looked at has another kind than it must have.</exception>
    internal static ModelConfig Parse(ReadOnlyMemory<byte> json)
    {
        using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 64 });
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException("is not a JSON object");
        }

        JsonElement text = Field(root, "text_config", JsonValueKind.Object) ?? root;
        long? heads = Number(text, root, "num_attention_heads");
        return new ModelConfig
        {
            Architectures = ReadArchitectures(root),
            TieWordEmbeddings = (Flag(root, "tie_word_embeddings"), Flag(text, "tie_word_embeddings")) switch
            {
                (true, _) or (_, true) => true,
                (null, null) => null,
                _ => false,
            },
            Quantization = ReadQuantization(root) ?? ReadQuantization(text),
            AttentionHeads = heads,
            KeyValueHeads = Number(text, root, "num_key_value_heads") ?? heads,
            Experts = Number(text, root, "num_experts"),
            VocabularySize = Number(text, root, "vocab_size"),
        };
    }

    private static List<string> ReadArchitectures(JsonElement root)
    {
        List<string> names = [];
        if (Field(root, "architectures", JsonValueKind.Array) is { } list)
        {
            foreach (JsonElement name in list.EnumerateArray())
            {
                names.Add(name.ValueKind == JsonValueKind.String ? name.GetString() ?? "" : throw Wrong("architectures", name));
            }
        }

        return names;
    }

    private static string? ReadQuantization(JsonElement element) =>
        Field(element, "quantization_config", JsonValueKind.Object) is not { } quantization ? null
        : quantization.TryGetProperty("quant_method", out JsonElement method) && method.ValueKind == JsonValueKind.String
            ? method.GetString()
        : "unknown";

    private static long? Number(JsonElement first, JsonElement second, string name)
    {
        JsonElement? field = Field(first, name, JsonValueKind.Number) ?? Field(second, name, JsonValueKind.Number);
        return field is not { } number ? null
            : number.TryGetInt64(out long value) && value >= 0 ? value
            : throw Wrong(name, number);
    }

    private static bool? Flag(JsonElement element, string name) =>
        !element.TryGetProperty(name, out JsonElement field) ? null
        : field.ValueKind is JsonValueKind.True or JsonValueKind.False ? field.GetBoolean()
        : field.ValueKind == JsonValueKind.Null ? null
        : throw Wrong(name, field);

    /// <summary>The field, or null when it is absent or null.</summary>
    private static JsonElement? Field(JsonElement element, string name, JsonValueKind kind) =>
        !element.TryGetProperty(name, out JsonElement field) || field.ValueKind == JsonValueKind.Null ? null
        : field.ValueKind == kind ? field
        : throw Wrong(name, field);

    private static FormatException Wrong(string name, JsonElement found) =>
        new($"\"{name}\" has a value of kind {found.ValueKind}, which it cannot have");

    private static CheckpointException Malformed(string path, string what) =>
        new(CheckpointError.ConfigMalformed, $"{path}: {what}", "restore config.json from where the model came from");
}
