using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights.Handles.Pickle;

namespace ApolloCheckpoint.Engine.Weights.Handles.Torch;

/// <summary>The values that torch's tuples are made of, each with the type it must have. All failures name the tensor.</summary>
/// <param name="tensor">The tensor's name, for messages.</param>
internal readonly struct TorchValues(string tensor)
{
    /// <summary>A whole number from 0; True is not one.</summary>
    internal long Number(object? value, string what) =>
        value is long and >= 0 ? (long)value : throw Wrong($"has {what} that is no whole number from 0 to 2^63-1");

    /// <summary>True or false.</summary>
    internal bool Flag(object? value, string what) => value is bool flag ? flag : throw Wrong($"has {what} that is neither True nor False");

    /// <summary>Bytes.</summary>
    internal byte[] Bytes(object? value, string what) => value as byte[] ?? throw Wrong($"has {what} that is no bytes");

    /// <summary>A tuple.</summary>
    internal object?[] Tuple(object? value, string what) => (value as PickleTuple)?.Items ?? throw Wrong($"has {what} that is no tuple");

    /// <summary>A dtype that is read.</summary>
    internal ElementType Dtype(object? value)
    {
        if (value is not PickleGlobal global || !PickleGlobals.IsDtype(global))
        {
            throw Wrong("has a dtype that is none");
        }

        return PickleGlobals.TypeOf(global) is var type && type != ElementType.None
            ? type
            : throw Wrong($"is of the dtype {global}, which is not read");
    }

    /// <summary>The type of one element of a storage; U8 when it is untyped.</summary>
    internal ElementType TypeOf(PickleStorage storage) =>
        storage.Type == PickleGlobals.UntypedStorage ? ElementType.U8
        : PickleGlobals.TypeOf(storage.Type) is var type && type != ElementType.None ? type
        : throw Wrong($"lies in a {storage.Type}, which is not read");

    /// <summary>Sizes and strides.</summary>
    internal TensorLayout Layout(ElementType type, object? size, object? stride)
    {
        long[] shape = Numbers(Tuple(size, "a size"), "a size");
        long[] steps = Numbers(Tuple(stride, "a stride"), "a stride");
        return TensorLayout.TryCreate(type, shape, steps, out TensorLayout? layout, out string? problem) ? layout : throw Wrong(problem);
    }

    /// <summary>Sizes.</summary>
    internal long[] Numbers(IReadOnlyList<object?> items, string what)
    {
        if (items.Count > TensorLayout.MaxDimensions)
        {
            throw Wrong($"has {items.Count} dimensions, at most {TensorLayout.MaxDimensions} are read");
        }

        long[] numbers = new long[items.Count];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = Number(items[i], what);
        }

        return numbers;
    }

    /// <summary>Bytes from a storage's start to the tensor's first element, after proving that the tensor lies inside.</summary>
    /// <param name="layout">Its layout.</param>
    /// <param name="storageOffset">Elements.</param>
    /// <param name="storageBytes">Bytes of the storage.</param>
    internal long Place(TensorLayout layout, long storageOffset, long storageBytes)
    {
        int size = layout.Type.UnitBytes();
        return storageOffset <= storageBytes / size && layout.Extent <= storageBytes - storageOffset * size
            ? storageOffset * size
            : throw Wrong($"leaves its storage: {layout.Extent} bytes from element {storageOffset} of {storageBytes} bytes");
    }

    /// <summary>The failure.</summary>
    internal PickleException Wrong(string what) => new($"is malformed: tensor \"{tensor}\" {what}");
}
