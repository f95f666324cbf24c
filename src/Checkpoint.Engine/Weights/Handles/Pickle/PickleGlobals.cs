using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Weights.Handles.Pickle;

/// <summary>
/// The names that a pickle of tensors may speak of. All others end the reading at once: nothing that is not on this list is needed for
/// tensors, and nothing on it is ever called. Compared as whole pairs of words, ordinal.
/// </summary>
internal static class PickleGlobals
{
    /// <summary>Where vLLM's parameter classes live; each is only a name here.</summary>
    private const string VllmParameters = "vllm.model_executor.parameter";

    internal static readonly PickleGlobal RebuildCudaTensor = new("torch.multiprocessing.reductions", "rebuild_cuda_tensor");
    internal static readonly PickleGlobal RebuildTensor = new("torch.multiprocessing.reductions", "rebuild_tensor");
    internal static readonly PickleGlobal RebuildTensorV2 = new("torch._utils", "_rebuild_tensor_v2");
    internal static readonly PickleGlobal RebuildTensorV3 = new("torch._utils", "_rebuild_tensor_v3");
    internal static readonly PickleGlobal RebuildParameter = new("torch._utils", "_rebuild_parameter");
    internal static readonly PickleGlobal Size = new("torch", "Size");
    internal static readonly PickleGlobal Tensor = new("torch", "Tensor");
    internal static readonly PickleGlobal Parameter = new("torch.nn.parameter", "Parameter");
    internal static readonly PickleGlobal TypedStorage = new("torch.storage", "TypedStorage");
    internal static readonly PickleGlobal UntypedStorage = new("torch.storage", "UntypedStorage");
    internal static readonly PickleGlobal OrderedDict = new("collections", "OrderedDict");
    internal static readonly PickleGlobal Encode = new("_codecs", "encode");

    /// <summary>The old program's tests wrapped torch.from_file in it.</summary>
    internal static readonly PickleGlobal Partial = new("functools", "partial");

    private static readonly HashSet<PickleGlobal> Others =
    [
        RebuildCudaTensor,
        RebuildTensor,
        RebuildTensorV2,
        RebuildTensorV3,
        RebuildParameter,
        Size,
        Tensor,
        Parameter,
        TypedStorage,
        UntypedStorage,
        OrderedDict,
        Encode,
    ];

    /// <summary>torch's dtypes; None: known, and not read.</summary>
    private static readonly Dictionary<string, ElementType> Dtypes = new(StringComparer.Ordinal)
    {
        ["bool"] = ElementType.Bool,
        ["uint8"] = ElementType.U8,
        ["int8"] = ElementType.I8,
        ["float8_e5m2"] = ElementType.F8E5M2,
        ["float8_e4m3fn"] = ElementType.F8E4M3,
        ["float8_e8m0fnu"] = ElementType.F8E8M0,
        ["int16"] = ElementType.I16,
        ["uint16"] = ElementType.U16,
        ["float16"] = ElementType.F16,
        ["bfloat16"] = ElementType.BF16,
        ["int32"] = ElementType.I32,
        ["uint32"] = ElementType.U32,
        ["float32"] = ElementType.F32,
        ["float64"] = ElementType.F64,
        ["int64"] = ElementType.I64,
        ["uint64"] = ElementType.U64,
        ["complex32"] = ElementType.None,
        ["complex64"] = ElementType.None,
        ["complex128"] = ElementType.None,
    };

    /// <summary>torch's typed storages; None: known, and not read.</summary>
    private static readonly Dictionary<string, ElementType> Storages = new(StringComparer.Ordinal)
    {
        ["BoolStorage"] = ElementType.Bool,
        ["ByteStorage"] = ElementType.U8,
        ["CharStorage"] = ElementType.I8,
        ["ShortStorage"] = ElementType.I16,
        ["HalfStorage"] = ElementType.F16,
        ["BFloat16Storage"] = ElementType.BF16,
        ["IntStorage"] = ElementType.I32,
        ["FloatStorage"] = ElementType.F32,
        ["DoubleStorage"] = ElementType.F64,
        ["LongStorage"] = ElementType.I64,
        ["ComplexFloatStorage"] = ElementType.None,
        ["ComplexDoubleStorage"] = ElementType.None,
    };

    /// <summary>Whether a pickle may speak of it.</summary>
    internal static bool IsAllowed(PickleGlobal global) =>
        Others.Contains(global) || IsDtype(global) || IsStorage(global) || IsVllmClass(global);

    /// <summary>Whether it is a dtype; of which type says <see cref="TypeOf"/>.</summary>
    internal static bool IsDtype(PickleGlobal global) => global.Module == "torch" && Dtypes.ContainsKey(global.Name);

    /// <summary>Whether it is a storage class, typed or not.</summary>
    internal static bool IsStorage(PickleGlobal global) =>
        global == TypedStorage || global == UntypedStorage || (global.Module == "torch" && Storages.ContainsKey(global.Name));

    /// <summary>Whether it is a class of tensors.</summary>
    internal static bool IsTensorClass(PickleGlobal global) => global == Tensor || global == Parameter || IsVllmClass(global);

    /// <summary>The element type of a dtype or a typed storage; None when it has none, or one that is not read.</summary>
    internal static ElementType TypeOf(PickleGlobal global) =>
        global.Module != "torch" ? ElementType.None
        : Dtypes.TryGetValue(global.Name, out ElementType type) ? type
        : Storages.GetValueOrDefault(global.Name);

    private static bool IsVllmClass(PickleGlobal global) =>
        global.Module == VllmParameters && global.Name.Length > 0 && global.Name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
