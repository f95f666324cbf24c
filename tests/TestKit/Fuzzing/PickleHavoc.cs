using System.Text;

namespace ApolloCheckpoint.TestKit.Fuzzing;

/// <summary>Spoils a pickle by whole opcodes: what Python's unpickler would execute, and numbers that lie.</summary>
public static class PickleHavoc
{
    private static readonly byte[][] Opcodes =
    [
        .. new[]
        {
            "cos\nsystem\n",
            "cbuiltins\neval\n",
            "ctorch._utils\n_rebuild_tensor_v2\n",
            "ctorch._utils\n_rebuild_tensor_v3\n",
            "ctorch._utils\n_rebuild_parameter\n",
            "ctorch.multiprocessing.reductions\nrebuild_cuda_tensor\n",
            "ctorch.multiprocessing.reductions\nrebuild_tensor\n",
            "ccollections\nOrderedDict\n",
            "c_codecs\nencode\n",
            "ctorch\nBFloat16Storage\n",
            "ctorch.storage\nUntypedStorage\n",
            "ctorch\nbfloat16\n",
            "ctorch\nFloatStorage\n",
            "(",
            ")",
            "]",
            "}",
            "N",
            "\u0088",
            "\u0089",
            "K\u0001",
            "M\u00ff\u00ff",
            "J\u00ff\u00ff\u00ff\u007f",
            "J\u0000\u0000\u0000\u0080",
            "\u008a\u0008\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f",
            "\u008a\u0009\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0001",
            "\u008a\u0000",
            "G\u003f\u00f0\u0000\u0000\u0000\u0000\u0000\u0000",
            "X\u0003\u0000\u0000\u0000abc",
            "X\u00ff\u00ff\u00ff\u007fabc",
            "X\u0007\u0000\u0000\u0000storage",
            "X\u0006\u0000\u0000\u0000handle",
            "\u008c\u0003abc",
            "C\u0040" + new string('h', 64),
            "B\u00ff\u00ff\u00ff\u007f",
            "\u0085",
            "\u0086",
            "\u0087",
            "t",
            "R",
            "b",
            "Q",
            "s",
            "u",
            "a",
            "e",
            "0",
            "1",
            "2",
            "q\u0000",
            "q\u0001",
            "h\u0000",
            "h\u0001",
            "h\u0002",
            "r\u00ff\u00ff\u00ff\u007f",
            "j\u0003\u0000\u0000\u0000",
            "\u0094",
            "\u0093",
            "\u0081",
            "\u0092",
            "\u0095\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f",
            "\u0080\u0004",
            "\u0080\u0063",
            "\u0082\u0001",
            "\u0097",
            "P0\n",
            "i",
            "o",
            "d",
            "l",
            ".",
        }.Select(Encoding.Latin1.GetBytes),
    ];

    /// <summary>A spoilt copy of a pickle.</summary>
    public static byte[] Spoil(ReadOnlySpan<byte> pickle, Random random)
    {
        byte[] spoilt = pickle.ToArray();
        for (int rounds = 1 + random.Next(1 + random.Next(8)); rounds > 0; rounds--)
        {
            spoilt = Once(spoilt, random);
        }

        return spoilt;
    }

    private static byte[] Once(byte[] pickle, Random random)
    {
        byte[] opcode = Opcodes[random.Next(Opcodes.Length)];
        int at = random.Next(pickle.Length + 1);
        return random.Next(6) switch
        {
            0 or 1 => Havoc.Splice(pickle, at, 0, opcode),
            2 => Havoc.Splice(pickle, at, Math.Min(opcode.Length, pickle.Length - at), opcode),
            3 => Havoc.Splice(pickle, at, 0, Repeated(opcode, 1 + random.Next(1 << random.Next(12)))),
            4 => WithOtherNumber(pickle, random),
            _ => Havoc.Spoil(pickle, random),
        };
    }

    /// <summary>Small numbers are shapes, strides, offsets and memo places: one of them becomes another.</summary>
    private static byte[] WithOtherNumber(byte[] pickle, Random random)
    {
        List<int> places = [];
        for (int i = 0; i + 1 < pickle.Length; i++)
        {
            if (pickle[i] == (byte)'K')
            {
                places.Add(i);
            }
        }

        if (places.Count == 0)
        {
            return pickle;
        }

        byte[] number = [0x8a, 8, .. BitConverter.GetBytes(Havoc.Number(random))];
        int at = places[random.Next(places.Count)];
        return random.Next(2) == 0 ? Havoc.Splice(pickle, at, 2, number) : Havoc.Splice(pickle, at + 1, 1, [(byte)random.Next(256)]);
    }

    private static byte[] Repeated(byte[] opcode, int times)
    {
        byte[] many = new byte[opcode.Length * times];
        for (int i = 0; i < times; i++)
        {
            opcode.CopyTo(many, i * opcode.Length);
        }

        return many;
    }
}
