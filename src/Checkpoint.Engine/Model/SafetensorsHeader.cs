using System.Buffers.Binary;
using System.Text.Json;

namespace ApolloCheckpoint.Engine.Model;

/// <summary>
/// The header of a safetensors file, parsed as hostile input. An instance exists only when everything holds.
/// <code>
/// bytes 0..8        u64 little-endian n, the length of the JSON text (at most 100 000 000)
/// bytes 8..8+n      {"__metadata__":{string:string}, "NAME":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]}, ...}, padded with spaces
/// bytes 8+n..end    the data; offsets count from here, are contiguous, start at 0 and end at the end of the file
/// </code>
/// Source: the safetensors format description and its reference parser (tensor.rs, 0.7).
/// </summary>
public sealed class SafetensorsHeader
{
    /// <summary>Longest JSON text accepted, bytes; the reference parser's limit.</summary>
    public const long MaxJsonBytes = 100_000_000;

    private readonly Dictionary<string, TensorEntry> byName;

    private SafetensorsHeader(IReadOnlyList<TensorEntry> tensors, long dataStart, Digest128 digest)
    {
        Tensors = tensors;
        DataStart = dataStart;
        Digest = digest;
        byName = tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
    }

    /// <summary>The tensors by ascending file offset.</summary>
    public IReadOnlyList<TensorEntry> Tensors { get; }

    /// <summary>Bytes from the start of the file to the first byte of data.</summary>
    public long DataStart { get; }

    /// <summary>xxh3-128 of the length prefix and the JSON text as they stand in the file.</summary>
    public Digest128 Digest { get; }

    /// <summary>The tensor of that name, or null.</summary>
    public TensorEntry? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>Reads the length prefix.</summary>
    /// <param name="prefix">The first 8 bytes of the file.</param>
    /// <param name="fileLength">Bytes of the file.</param>
    /// <returns>Bytes of prefix and JSON together: what <see cref="Parse"/> needs.</returns>
    /// <exception cref="CheckpointException">HeaderMalformed: too short, too long, or beyond the file.</exception>
    public static int ReadPrefix(ReadOnlySpan<byte> prefix, long fileLength)
    {
        if (prefix.Length < 8 || fileLength < 8)
        {
            throw Malformed($"the file has {fileLength} bytes, a header has at least 8");
        }

        ulong jsonBytes = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (jsonBytes > MaxJsonBytes)
        {
            throw Malformed($"the header says it is {jsonBytes} bytes long, more than the {MaxJsonBytes} that the format allows");
        }

        if ((long)jsonBytes > fileLength - 8)
        {
            throw Malformed($"the header says it is {jsonBytes} bytes long, the file has {fileLength - 8} after the length");
        }

        return (int)jsonBytes + 8;
    }

    /// <summary>Parses and validates a whole header.</summary>
    /// <param name="headerBytes">Length prefix and JSON text, exactly as long as <see cref="ReadPrefix"/> said.</param>
    /// <param name="fileLength">Bytes of the file.</param>
    /// <exception cref="CheckpointException">HeaderMalformed, saying which tensor and which number.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> headerBytes, long fileLength)
    {
        int length = ReadPrefix(headerBytes, fileLength);
        if (headerBytes.Length != length)
        {
            throw Malformed($"{headerBytes.Length} header bytes read, {length} expected");
        }

        List<TensorEntry> tensors = ReadTensors(headerBytes[8..], length);
        tensors.Sort((a, b) => (a.FileOffset, a.FileOffset + a.ByteLength).CompareTo((b.FileOffset, b.FileOffset + b.ByteLength)));
        long end = length;
        foreach (TensorEntry tensor in tensors)
        {
            if (tensor.FileOffset != end)
            {
                throw Malformed($"tensor \"{tensor.Name}\" begins at byte {tensor.FileOffset}, the one before it ends at {end}");
            }

            end += tensor.ByteLength;
        }

        if (end != fileLength)
        {
            throw Malformed(
                end > fileLength
                    ? $"the tensors end at byte {end}, the file has {fileLength}: it is truncated"
                    : $"the tensors end at byte {end}, the file has {fileLength}: {fileLength - end} bytes belong to no tensor"
            );
        }

        return new SafetensorsHeader(tensors, length, Digest128.Of(headerBytes));
    }

    private static List<TensorEntry> ReadTensors(ReadOnlySpan<byte> json, long dataStart)
    {
        // The format wants '{' as the very first byte; without this rule a byte-order mark or blanks would be taken.
        if (json.IsEmpty || json[0] != (byte)'{')
        {
            throw Malformed("the header is not a JSON object");
        }

        List<TensorEntry> tensors = [];
        HashSet<string> names = new(StringComparer.Ordinal);
        try
        {
            Utf8JsonReader reader = new(json, new JsonReaderOptions { MaxDepth = 4 });
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                string name = reader.GetString() ?? "";
                if (!names.Add(name))
                {
                    throw Malformed($"tensor \"{name}\" stands twice in the header");
                }

                reader.Read();
                if (name == "__metadata__")
                {
                    reader.Skip();
                }
                else
                {
                    tensors.Add(ReadTensor(ref reader, name, dataStart));
                }
            }

            while (reader.Read()) { }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw Malformed($"the header is not the JSON that the format describes: {e.Message}");
        }

        return tensors;
    }

    private static TensorEntry ReadTensor(ref Utf8JsonReader reader, string name, long dataStart)
    {
        ElementType type = ElementType.None;
        List<long>? shape = null;
        List<long>? offsets = null;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw Malformed($"tensor \"{name}\" is not an object");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string? key = reader.GetString();
            reader.Read();
            switch (key)
            {
                case "dtype":
                    string? spelling = reader.GetString();
                    if (!ElementTypes.TryParse(spelling, out type))
                    {
                        throw Malformed($"tensor \"{name}\" has the unknown dtype \"{spelling}\"");
                    }

                    break;
                case "shape":
                    shape = ReadNumbers(ref reader, name);
                    break;
                case "data_offsets":
                    offsets = ReadNumbers(ref reader, name);
                    break;
                default:
                    throw Malformed($"tensor \"{name}\" has the unknown field \"{key}\"");
            }
        }

        if (type == ElementType.None || shape is null || offsets is not { Count: 2 })
        {
            throw Malformed($"tensor \"{name}\" lacks dtype, shape or data_offsets");
        }

        return Validate(name, type, shape, offsets[0], offsets[1], dataStart);
    }

    private static TensorEntry Validate(string name, ElementType type, List<long> shape, long begin, long end, long dataStart)
    {
        try
        {
            checked
            {
                long elements = 1;
                foreach (long size in shape)
                {
                    elements *= size;
                }

                long bits = elements * type.Bits();
                if (bits % 8 != 0)
                {
                    throw Malformed($"tensor \"{name}\" does not fill whole bytes");
                }

                if (end < begin || end - begin != bits / 8)
                {
                    throw Malformed($"tensor \"{name}\" takes bytes {begin} to {end}, its shape and dtype need {bits / 8}");
                }

                _ = dataStart + end;
                return new TensorEntry(name, type, shape, dataStart + begin, end - begin);
            }
        }
        catch (OverflowException)
        {
            throw Malformed($"tensor \"{name}\" is larger than can be counted");
        }
    }

    private static List<long> ReadNumbers(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw Malformed($"tensor \"{name}\": a list of numbers was expected");
        }

        List<long> numbers = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
            {
                throw Malformed($"tensor \"{name}\": shape and offsets are whole numbers from 0 to 2^63-1");
            }

            numbers.Add(number);
        }

        return numbers;
    }

    private static CheckpointException Malformed(string what) => new(CheckpointError.HeaderMalformed, what);
}
