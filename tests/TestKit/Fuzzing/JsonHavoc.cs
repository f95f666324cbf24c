using System.Text;
using System.Text.RegularExpressions;

namespace ApolloCheckpoint.TestKit.Fuzzing;

/// <summary>Spoils JSON token by token, so that most of what comes out is still JSON, and wrong.</summary>
public static partial class JsonHavoc
{
    private static readonly string[] Values =
    [
        "null",
        "true",
        "false",
        "{}",
        "[]",
        "\"\"",
        "[[]]",
        "{\"a\":{}}",
        "1e30",
        "1.5",
        "-0",
        "1e-400",
        "18446744073709551616",
        "9223372036854775808",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"../../escape\"",
        "\"/etc/passwd\"",
        "\"a/b\"",
        "\".\"",
        "\"BF16\"",
        "\"F4\"",
        "\"F64\"",
        "\"\\u202e\\u001b[2J\"",
        "[0]",
        "[1,2,3,4]",
        "[9223372036854775807,9223372036854775807]",
    ];

    /// <summary>A spoilt copy of a JSON text.</summary>
    public static byte[] Spoil(ReadOnlySpan<byte> json, Random random)
    {
        string text = Encoding.UTF8.GetString(json);
        for (int rounds = 1 + random.Next(1 + random.Next(6)); rounds > 0; rounds--)
        {
            text = Once(text, random);
        }

        return Encoding.UTF8.GetBytes(text.Length > 1 << 20 ? text[..(1 << 20)] : text);
    }

    private static string Once(string text, Random random)
    {
        List<Match> tokens = [.. Tokens().Matches(text).Cast<Match>()];
        if (tokens.Count == 0)
        {
            return Values[random.Next(Values.Length)];
        }

        Match one = tokens[random.Next(tokens.Count)];
        Match other = tokens[random.Next(tokens.Count)];
        return random.Next(9) switch
        {
            0 or 1 => Replace(text, one, Value(random)),
            2 => Replace(text, one, other.Value),
            3 => Replace(text, one, ""),
            4 => text.Insert(one.Index, other.Value + (random.Next(2) == 0 ? "," : "")),
            5 => text.Insert(one.Index, Range(text, one, other)),
            6 => Range(text, one, other) is { Length: > 0 and < 400 } range ? text.Replace(range, "", StringComparison.Ordinal) : text,
            7 when random.Next(20) == 0 => Replace(text, one, Nested(random)),
            8 when random.Next(20) == 0 => Replace(text, one, $"[{string.Join(',', Enumerable.Repeat("1", 1 + random.Next(5000)))}]"),
            _ => Replace(text, one, one.Value.StartsWith('"') ? $"\"{Letters(random)}\"" : $"{Havoc.Number(random)}"),
        };
    }

    private static string Value(Random random) => random.Next(3) == 0 ? $"{Havoc.Number(random)}" : Values[random.Next(Values.Length)];

    private static string Replace(string text, Match token, string by) =>
        string.Concat(text.AsSpan(0, token.Index), by, text.AsSpan(token.Index + token.Length));

    /// <summary>The text from one token to behind another, cut where it would be long.</summary>
    private static string Range(string text, Match one, Match other)
    {
        int start = Math.Min(one.Index, other.Index);
        int end = Math.Max(one.Index + one.Length, other.Index + other.Length);
        return text[start..Math.Min(end, start + 1000)];
    }

    private static string Nested(Random random)
    {
        int depth = 1 + random.Next(2000);
        return random.Next(2) == 0
            ? new string('[', depth) + new string(']', depth)
            : string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth);
    }

    private static string Letters(Random random) =>
        new([.. Enumerable.Range(0, random.Next(40)).Select(_ => (char)random.Next(0x23, 0x5b))]);

    [GeneratedRegex("\"(?:[^\"\\\\]|\\\\.)*\"|-?[0-9][0-9.eE+-]*|true|false|null|[{}\\[\\],:]")]
    private static partial Regex Tokens();
}
