namespace ApolloCheckpoint.Engine.Weights.Handles.Pickle;

/// <summary>
/// Reads a pickle of protocol 2 to 5 into inert nodes and executes nothing: names come from a list and stay names, calls of torch's
/// rebuild functions stay data, and only the few opcodes that torch.save writes are known. What a pickle can make this use is bounded by
/// its own length: no recursion, no length believed before it is compared with what is left, no container copied.
/// <para>
/// Nodes: null, bool, long, BigInteger, double, string, byte[], <see cref="PickleTuple"/>, <see cref="PickleList"/>,
/// <see cref="PickleDict"/>, <see cref="PickleGlobal"/>, <see cref="PickleCall"/>, <see cref="PickleStorage"/>. They may form cycles and
/// share parts: whoever walks them bounds the walk.
/// </para>
/// </summary>
internal sealed class Unpickler
{
    private const int MaxMarks = 1000;

    /// <summary>torch.save sets items in batches of 1000, two values each.</summary>
    private const int MaxStack = 20_000;
    private const uint MaxMemo = 1 << 24;

    /// <summary>torch.save needs about 25 values a tensor.</summary>
    private const int MaxValues = 1 << 22;

    private readonly PickleBytes bytes;
    private readonly List<object?> stack = [];
    private readonly Stack<int> marks = [];
    private readonly Dictionary<uint, object?> memo = [];
    private int values;

    private readonly PickleValues make;

    private Unpickler(PickleBytes bytes, Dictionary<string, PickleStorage> storages)
    {
        this.bytes = bytes;
        make = new PickleValues(storages, bytes.Left);
    }

    /// <summary>Reads one pickle; the bytes behind its STOP are left.</summary>
    /// <param name="bytes">The pickle.</param>
    /// <param name="storages">Takes the storages that it names, by key.</param>
    /// <exception cref="PickleException">Malformed.</exception>
    /// <exception cref="GlobalRefusedException">It speaks of something that is not on the list.</exception>
    internal static object? Load(PickleBytes bytes, Dictionary<string, PickleStorage> storages)
    {
        Unpickler unpickler = new(bytes, storages);
        unpickler.Begin();
        while (bytes.U8() is var opcode && opcode != (byte)'.')
        {
            unpickler.Execute(opcode);
        }

        return unpickler.stack is [var result] && unpickler.marks.Count == 0
            ? result
            : throw new PickleException($"has a pickle that ends with {unpickler.stack.Count} values instead of one");
    }

    private void Begin()
    {
        if (bytes.Left < 2 || bytes.U8() != 0x80 || bytes.U8() is not (>= 2 and <= 5))
        {
            throw new PickleException("has a pickle that does not begin as protocol 2, 3, 4 or 5 does");
        }
    }

    // The opcodes and their arguments: Lib/pickletools.py of CPython.
    private void Execute(byte opcode)
    {
        switch (opcode)
        {
            case 0x95: // FRAME: only a hint for buffering, but its length must be true
                bytes.ExpectLeft(bytes.U64());
                break;
            case (byte)'(': // MARK
                Mark();
                break;
            case (byte)'t': // TUPLE
                Push(PickleValues.Tuple(PopToMark()));
                break;
            case >= 0x85 and <= 0x87: // TUPLE1, TUPLE2, TUPLE3
                Push(PickleValues.Tuple(Pop(opcode - 0x84)));
                break;
            case (byte)'s': // SETITEM
                SetItems(Pop(2));
                break;
            case (byte)'u': // SETITEMS
                SetItems(PopToMark());
                break;
            case (byte)'a': // APPEND
                Append(Pop(1));
                break;
            case (byte)'e': // APPENDS
                Append(PopToMark());
                break;
            case (byte)'c': // GLOBAL
                Push(PickleValues.Global(bytes.Line(), bytes.Line()));
                break;
            case 0x93: // STACK_GLOBAL
                Push(
                    Pop(2) is [string module, string name]
                        ? PickleValues.Global(module, name)
                        : throw Wrong("a global whose name is no text")
                );
                break;
            case (byte)'R': // REDUCE
                object?[] call = Pop(2);
                Push(make.Reduce(call[0], call[1]));
                break;
            case (byte)'b': // BUILD
                Build();
                break;
            case (byte)'Q': // BINPERSID
                Push(make.Storage(Pop(1)[0]));
                break;
            case (byte)'q' or (byte)'r' or 0x94: // BINPUT, LONG_BINPUT, MEMOIZE
                Remember(
                    opcode switch
                    {
                        (byte)'q' => bytes.U8(),
                        (byte)'r' => bytes.U32(),
                        _ => (uint)memo.Count,
                    }
                );
                break;
            case (byte)'h' or (byte)'j': // BINGET, LONG_BINGET
                Push(Recall(opcode == (byte)'h' ? bytes.U8() : bytes.U32()));
                break;
            default:
                Push(Literal(opcode));
                break;
        }
    }

    private object? Literal(byte opcode) =>
        opcode switch
        {
            (byte)'N' => null,
            0x88 => true,
            0x89 => false,
            (byte)'J' => (long)bytes.I32(),
            (byte)'K' => (long)bytes.U8(),
            (byte)'M' => (long)bytes.U16(),
            0x8A => bytes.Long(bytes.U8()),
            0x8B => bytes.Long(bytes.U32()),
            (byte)'G' => bytes.Double(),
            (byte)'X' => bytes.Text(bytes.U32()),
            0x8C => bytes.Text(bytes.U8()),
            0x8D => bytes.Text(bytes.U64()),
            (byte)'C' => bytes.Take(bytes.U8()).ToArray(),
            (byte)'B' => bytes.Take(bytes.U32()).ToArray(),
            0x8E => bytes.Take(bytes.U64()).ToArray(),
            (byte)'}' => new PickleDict(isOrdered: false),
            (byte)']' => new PickleList(),
            (byte)')' => PickleTuple.Empty,
            _ => throw Wrong($"the opcode 0x{opcode:x2}, which no file of tensors needs"),
        };

    /// <summary>The state of a module's OrderedDict (its _metadata) is read by the same rules, and dropped.</summary>
    private void Build()
    {
        _ = Pop(1);
        if (stack.Count <= Floor || stack[^1] is not PickleDict { IsOrdered: true })
        {
            throw Wrong("a state for something that is no OrderedDict");
        }
    }

    private void SetItems(object?[] pairs)
    {
        if (pairs.Length % 2 != 0 || stack.Count <= Floor || stack[^1] is not PickleDict dict)
        {
            throw Wrong("items for something that is no dict");
        }

        for (int i = 0; i < pairs.Length; i += 2)
        {
            if (!dict.TryAdd(pairs[i], pairs[i + 1]))
            {
                throw Wrong($"the name \"{pairs[i]}\" twice");
            }
        }
    }

    private void Append(object?[] items)
    {
        if (stack.Count <= Floor || stack[^1] is not PickleList list)
        {
            throw Wrong("items for something that is no list");
        }

        list.Append(items);
    }

    private void Mark()
    {
        if (marks.Count == MaxMarks)
        {
            throw Wrong($"more than {MaxMarks} marks inside each other");
        }

        marks.Push(stack.Count);
    }

    /// <summary>Values below the newest mark cannot be reached before that mark is taken.</summary>
    private int Floor => marks.Count > 0 ? marks.Peek() : 0;

    private void Push(object? value)
    {
        stack.Add(value);
        values++;
        if (values > MaxValues || stack.Count > MaxStack)
        {
            throw Wrong($"more than {MaxValues} values, or {MaxStack} at a time");
        }
    }

    private object?[] Pop(int count)
    {
        if (stack.Count - Floor < count)
        {
            throw Wrong("an opcode that takes more values than there are");
        }

        object?[] values = [.. stack[^count..]];
        stack.RemoveRange(stack.Count - count, count);
        return values;
    }

    private object?[] PopToMark()
    {
        if (!marks.TryPop(out int mark))
        {
            throw Wrong("an opcode that wants a mark where there is none");
        }

        object?[] values = [.. stack[mark..]];
        stack.RemoveRange(mark, stack.Count - mark);
        return values;
    }

    private void Remember(uint index)
    {
        if (index >= MaxMemo || stack.Count <= Floor)
        {
            throw Wrong($"a memo entry {index} that cannot be");
        }

        memo[index] = stack[^1];
    }

    private object? Recall(uint index) =>
        memo.TryGetValue(index, out object? value) ? value : throw Wrong($"a memo entry {index} that was never set");

    private PickleException Wrong(string what) => new($"has a pickle with {what}, before byte {bytes.Position}");
}
