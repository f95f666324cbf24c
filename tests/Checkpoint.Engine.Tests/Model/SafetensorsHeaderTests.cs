using System.Buffers.Binary;
using System.Text;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.TestKit;
using CsCheck;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Model;

public class SafetensorsHeaderTests
{
    [Fact]
    public void Tensors_come_in_file_order_with_offsets_from_the_start_of_the_file()
    {
        SafetensorsHeader header = Parse(
            """{"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},"a":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]},"__metadata__":{"format":"pt"}}""",
            12
        );
        Assert.Equal(
            [("a", ElementType.BF16, header.DataStart, 4L), ("b", ElementType.F32, header.DataStart + 4, 8L)],
            header.Tensors.Select(tensor => (tensor.Name, tensor.Type, tensor.FileOffset, tensor.ByteLength))
        );
        Assert.Equal([2L, 1L], header.Find("a")?.Shape);
        Assert.Null(header.Find("c"));
    }

    [Fact]
    public void Scalar_has_one_element_and_an_empty_tensor_none()
    {
        SafetensorsHeader header = Parse(
            """{"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"e":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4]}}""",
            4
        );
        Assert.Equal((1L, 0L), (header.Find("s")?.Elements, header.Find("e")?.Elements));
    }

    [Fact]
    public void Empty_header_of_an_empty_model_is_taken() => Assert.Empty(Parse("{}", 0).Tensors);

    [Fact]
    public void Packed_types_count_bits()
    {
        SafetensorsHeader header = Parse("""{"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]}}""", 3);
        Assert.Equal((4L, 3L), (header.Tensors[0].Elements, header.Tensors[0].Units));
    }

    [Fact]
    public void Digest_covers_prefix_and_text()
    {
        Assert.Equal(Parse("{}", 0).Digest, Parse("{}", 0).Digest);
        Assert.NotEqual(Parse("{}", 0).Digest, Parse("""{"__metadata__":{}}""", 0).Digest);
    }

    [Theory]
    [InlineData("too_short_for_a_length", "has 7 bytes", "00000000000000")]
    [InlineData("empty_file", "has 0 bytes", "")]
    [InlineData("length_beyond_the_limit", "more than the 100000000", "01E1F50500000000")]
    [InlineData("length_of_64_ones", "more than the 100000000", "FFFFFFFFFFFFFFFF")]
    [InlineData("length_beyond_the_file", "the file has 2 after", "03000000000000007B7D")]
    public void Prefix_that_is_wrong_is_refused(string name, string expected, string hex)
    {
        byte[] file = Convert.FromHexString(hex);
        CheckpointException e = Assert.Throws<CheckpointException>(() => SafetensorsHeader.Parse(file, file.Length));
        Assert.True(e.Message.Contains(expected, StringComparison.Ordinal), $"{name}: {e.Message}");
        Assert.Equal(CheckpointError.HeaderMalformed, e.Error);
    }

    public static TheoryData<string, string, int, string> Malformed =>
        new()
        {
            { "not_an_object", "[]", 0, "not a JSON object" },
            { "blank_before_the_brace", " {}", 0, "not a JSON object" },
            { "no_text", "", 0, "not a JSON object" },
            { "cut_off", """{"a":{"dtype":"U8","shape":[1],"data_off""", 1, "not the JSON" },
            { "two_documents", "{}{}", 0, "not the JSON" },
            { "comment", "{}//x", 0, "not the JSON" },
            { "trailing_comma", """{"__metadata__":{},}""", 0, "not the JSON" },
            { "nested_deeper_than_any_header", """{"__metadata__":{"a":{"b":{"c":{"d":1}}}}}""", 0, "not the JSON" },
            { "tensor_is_a_number", """{"a":5}""", 0, "not an object" },
            { "same_name_twice", $$"""{"a":{{U8(0, 1)}},"a":{{U8(1, 2)}}}""", 2, "twice" },
            { "same_name_twice_once_escaped", $$"""{"a":{{U8(0, 1)}},"\u0061":{{U8(1, 2)}}}""", 2, "twice" },
            { "unknown_dtype", """{"a":{"dtype":"BF17","shape":[1],"data_offsets":[0,1]}}""", 1, "unknown dtype \"BF17\"" },
            { "dtype_in_lower_case", """{"a":{"dtype":"bf16","shape":[1],"data_offsets":[0,2]}}""", 2, "unknown dtype" },
            { "dtype_is_a_number", """{"a":{"dtype":16,"shape":[1],"data_offsets":[0,2]}}""", 2, "not the JSON" },
            { "dtype_missing", """{"a":{"shape":[1],"data_offsets":[0,1]}}""", 1, "lacks" },
            { "shape_missing", """{"a":{"dtype":"U8","data_offsets":[0,1]}}""", 1, "lacks" },
            { "offsets_missing", """{"a":{"dtype":"U8","shape":[1]}}""", 1, "lacks" },
            { "three_offsets", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}""", 1, "lacks" },
            { "unknown_field", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}""", 1, "unknown field \"x\"" },
            { "negative_size", """{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}""", 1, "whole numbers" },
            { "fractional_size", """{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}""", 1, "whole numbers" },
            { "size_beyond_63_bits", """{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}}""", 1, "whole numbers" },
            { "shape_of_shapes", """{"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}}""", 1, "whole numbers" },
            { "shape_is_text", """{"a":{"dtype":"U8","shape":"1","data_offsets":[0,1]}}""", 1, "a list of numbers" },
            { "elements_overflow", """{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "larger than" },
            { "bits_overflow", """{"a":{"dtype":"F64","shape":[1152921504606846976],"data_offsets":[0,0]}}""", 0, "larger than" },
            {
                "end_overflows",
                """{"a":{"dtype":"U8","shape":[1],"data_offsets":[9223372036854775806,9223372036854775807]}}""",
                1,
                "larger than"
            },
            { "end_before_begin", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}""", 1, "takes bytes 1 to 0" },
            { "shape_larger_than_range", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "need 8" },
            { "half_a_byte", """{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}""", 1, "whole bytes" },
            { "overlap", $$"""{"a":{{U8(0, 2)}},"b":{{U8(1, 3)}}}""", 3, "begins at byte" },
            { "same_range_twice", $$"""{"a":{{U8(0, 2)}},"b":{{U8(0, 2)}}}""", 2, "begins at byte" },
            { "hole", $$"""{"a":{{U8(0, 1)}},"b":{{U8(2, 3)}}}""", 3, "begins at byte" },
            { "does_not_begin_at_0", $$"""{"a":{{U8(1, 2)}}}""", 2, "begins at byte" },
            { "truncated_file", $$"""{"a":{{U8(0, 4)}}}""", 3, "truncated" },
            { "bytes_behind_the_last_tensor", $$"""{"a":{{U8(0, 4)}}}""", 5, "1 bytes belong to no tensor" },
        };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Header_that_is_wrong_is_refused(string name, string json, int dataBytes, string expected)
    {
        CheckpointException e = Assert.Throws<CheckpointException>(() => Parse(json, dataBytes));
        Assert.True(e.Message.Contains(expected, StringComparison.Ordinal), $"{name}: {e.Message}");
        Assert.Equal(CheckpointError.HeaderMalformed, e.Error);
    }

    [Fact]
    public void Invalid_UTF8_is_refused()
    {
        byte[] file = SafetensorsBytes.WithHeader($$"""{"a":{{U8(0, 1)}}}""", [0]);
        file[10] = 0xFF;
        Assert.Throws<CheckpointException>(() => ParseFile(file));
    }

    [Fact]
    public void Any_header_that_was_written_is_read_back() =>
        Gen.Select(Gen.Enum<ElementType>().Where(type => type.ToString() is not "None"), Gen.Long[0, 9].Array[0, 3])
            .Where((type, shape) => shape.Aggregate(1L, (product, size) => product * size) * type.Bits() % 8 == 0)
            .Array[0, 6]
            .Sample(rows =>
            {
                TinyTensor[] tensors = [.. rows.Select((row, i) => new TinyTensor($"t{i}.\"ü", row.Item1, row.Item2))];
                byte[] file = SafetensorsBytes.Build(tensors.Select(tensor => (tensor, new byte[tensor.ByteLength])));
                SafetensorsHeader header = ParseFile(file);
                Assert.Equal(
                    tensors.Select(tensor => (tensor.Name, tensor.Type, string.Join(',', tensor.Shape), tensor.ByteLength)).Order(),
                    header.Tensors.Select(tensor => (tensor.Name, tensor.Type, string.Join(',', tensor.Shape), tensor.ByteLength)).Order()
                );
                Assert.Equal(file.Length, header.DataStart + header.Tensors.Sum(tensor => tensor.ByteLength));
            });

    [Fact]
    public void Damaged_header_is_refused_or_read_but_never_anything_else() =>
        Gen.Select(Gen.Int[0, 400], Gen.Byte)
            .Array[1, 4]
            .Sample(changes =>
            {
                byte[] file = SafetensorsBytes.Build(TinyModel.Small.Select(tensor => (tensor, new byte[tensor.ByteLength])));
                foreach ((int at, byte value) in changes)
                {
                    file[at % 400] = value;
                }

                try
                {
                    ParseFile(file);
                }
                catch (CheckpointException e)
                {
                    Assert.Equal(CheckpointError.HeaderMalformed, e.Error);
                }
            });

    private static string U8(int begin, int end) => $$"""{"dtype":"U8","shape":[{{end - begin}}],"data_offsets":[{{begin}},{{end}}]}""";

    /// <summary>Unlike a real file the text is not padded, so that what is at its end counts.</summary>
    private static SafetensorsHeader Parse(string json, int dataBytes)
    {
        byte[] text = Encoding.UTF8.GetBytes(json);
        byte[] header = new byte[8 + text.Length];
        BinaryPrimitives.WriteInt64LittleEndian(header, text.Length);
        text.CopyTo(header, 8);
        return SafetensorsHeader.Parse(header, header.Length + dataBytes);
    }

    private static SafetensorsHeader ParseFile(byte[] file) =>
        SafetensorsHeader.Parse(file.AsSpan(0, SafetensorsHeader.ReadPrefix(file, file.Length)), file.Length);
}
