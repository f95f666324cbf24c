using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using ApolloCheckpoint.Engine.Model;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Model;

public sealed class Digest128Tests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(300)]
    [InlineData(5000)]
    public void It_is_the_xxh3_128_of_the_bytes_and_lies_in_files_as_that_number_does(int length)
    {
        byte[] bytes = [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7))];
        UInt128 expected = XxHash128.HashToUInt128(bytes);
        byte[] file = new byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(file, expected);
        XxHash128 appended = new();
        appended.Append(bytes);

        Digest128 digest = Digest128.Of(bytes);

        byte[] written = new byte[16];
        digest.Write(written);
        Assert.Equal(file, written);
        Assert.Equal(digest, Digest128.Read(file));
        Assert.Equal(digest, Digest128.Of(appended));
        Assert.Equal(expected.ToString("x32", CultureInfo.InvariantCulture), digest.ToString());
    }

    [Fact]
    public void Small_numbers_keep_their_leading_zeros_as_text() =>
        Assert.Equal("0000000000000001000000000000000a", new Digest128(1, 10).ToString());
}
