namespace ApolloCheckpoint.Engine.Weights.Handles.Pickle;

/// <summary>Makes the values that a pickle asks for by name: inert ones, or none.</summary>
/// <param name="storages">Takes the storages, by key.</param>
/// <param name="encodable">Bytes that may come out of texts in all: no more than the pickle has, though the memo could give one text often.</param>
internal sealed class PickleValues(Dictionary<string, PickleStorage> storages, long encodable)
{
    private const int MaxTupleDepth = 100;
    private long remaining = encodable;

    /// <summary>A tuple that is not nested too deep.</summary>
    internal static PickleTuple Tuple(object?[] items)
    {
        PickleTuple tuple = new(items);
        return tuple.Depth <= MaxTupleDepth ? tuple : throw Wrong($"more than {MaxTupleDepth} tuples inside each other");
    }

    /// <summary>A name on the list.</summary>
    /// <exception cref="GlobalRefusedException">It is not on the list.</exception>
    internal static PickleGlobal Global(string module, string name)
    {
        PickleGlobal global = new(module, name);
        return PickleGlobals.IsAllowed(global) ? global : throw new GlobalRefusedException(global);
    }

    /// <summary>What a call gives: of torch.Size its tuple, of _codecs.encode the bytes, of OrderedDict an empty one; else the call itself, as data.</summary>
    internal object? Reduce(object? function, object? arguments) =>
        (function, arguments) switch
        {
            (PickleGlobal global, PickleTuple { Items: [PickleTuple size] }) when global == PickleGlobals.Size => size,
            (PickleGlobal global, PickleTuple { Items: [string text, "latin1"] }) when global == PickleGlobals.Encode => Latin1(text),
            (PickleGlobal global, PickleTuple { Items: [] }) when global == PickleGlobals.OrderedDict => new PickleDict(isOrdered: true),
            (PickleGlobal global, PickleTuple tuple)
                when global == PickleGlobals.RebuildTensorV2
                    || global == PickleGlobals.RebuildTensorV3
                    || global == PickleGlobals.RebuildParameter => new PickleCall(global, tuple),
            (PickleGlobal global, _) => throw Wrong($"a call of {global} that is not allowed"),
            _ => throw Wrong("a call of something that is not a name"),
        };

    /// <summary>A persistent id, which is always a storage.</summary>
    internal PickleStorage Storage(object? id)
    {
        if (
            id is not PickleTuple { Items: ["storage", PickleGlobal type, string key, string, long elements, .. object?[] rest] }
            || !PickleGlobals.IsStorage(type)
            || elements < 0
            || rest is not ([] or [null])
        )
        {
            throw Wrong("a persistent id that is no storage");
        }

        if (key.Length is 0 or > 64 || !key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        {
            throw Wrong("a storage whose key is no plain name");
        }

        PickleStorage storage = new(type, key, elements);
        return storages.TryAdd(key, storage) || storages[key] == storage ? storage : throw Wrong($"two different storages {key}");
    }

    /// <summary>Protocol 2 writes bytes as a text of the characters U+0000 to U+00FF.</summary>
    private byte[] Latin1(string text)
    {
        remaining -= text.Length;
        if (remaining < 0)
        {
            throw Wrong("one text encoded again and again");
        }

        byte[] encoded = new byte[text.Length];
        for (int i = 0; i < text.Length; i++)
        {
            encoded[i] = text[i] <= 0xFF ? (byte)text[i] : throw Wrong("bytes written as a text that is not Latin-1");
        }

        return encoded;
    }

    private static PickleException Wrong(string what) => new($"has a pickle with {what}");
}
