using System.Text;
using ApolloCheckpoint.Engine.Journaling.State;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

public class ModelStateJsonTests
{
    private static readonly ModelState Full = new()
    {
        Lineage = "00ff",
        Newest = 43,
        Oldest = 7,
        FilesVersion = 42,
        Root = "ab",
        Step = 88210,
        Label = "step 88210",
        TimeNs = 1_770_000_000_000_000_000,
        Producer = new ProducerRecord("vllm", 4242, 123456, "boot", "cd") { PageSequence = ulong.MaxValue },
        Restored = true,
    };

    [Fact]
    public void Everything_that_is_written_is_read_again() => Assert.Equal(Full, ModelStateJson.TryParse(ModelStateJson.Write(Full)));

    [Fact]
    public void Any_flipped_bit_is_no_hint_or_changes_nothing()
    {
        byte[] text = ModelStateJson.Write(Full);
        for (int bit = 0; bit < 8 * text.Length; bit++)
        {
            byte[] flipped = [.. text];
            flipped[bit / 8] ^= (byte)(1 << bit % 8);
            ModelState? read = ModelStateJson.TryParse(flipped);
            Assert.True(read is null || read == Full, $"bit {bit % 8} of byte {bit / 8} is believed");
        }
    }

    [Fact]
    public void Nothing_known_of_step_and_producer_is_read_again()
    {
        ModelState little = Full with { Step = null, Producer = new ProducerRecord("unknown", null, null, null, null) };
        Assert.Equal(little, ModelStateJson.TryParse(ModelStateJson.Write(little)));
        Assert.Equal(little with { Producer = null }, ModelStateJson.TryParse(ModelStateJson.Write(little with { Producer = null })));
    }

    [Fact]
    public void Fields_that_are_not_known_are_ignored_and_missing_ones_have_defaults()
    {
        byte[] text = Encoding.UTF8.GetBytes("""{"lineage":"00","newest":3,"filesVersion":2,"root":"ab","later":[1]}""");
        ModelState expected = new()
        {
            Lineage = "00",
            Newest = 3,
            FilesVersion = 2,
            Root = "ab",
        };
        Assert.Equal(expected, ModelStateJson.TryParse(text));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"lineage":1,"newest":3,"filesVersion":2,"root":"ab"}""")]
    [InlineData("""{"lineage":"00","newest":"3","filesVersion":2,"root":"ab"}""")]
    [InlineData("""{"lineage":"00","newest":1e99,"filesVersion":2,"root":"ab"}""")]
    [InlineData("""{"lineage":"00","newest":3,"filesVersion":2,"root":"ab","producer":7}""")]
    public void Text_that_is_no_state_is_no_hint(string text) => Assert.Null(ModelStateJson.TryParse(Encoding.UTF8.GetBytes(text)));
}
