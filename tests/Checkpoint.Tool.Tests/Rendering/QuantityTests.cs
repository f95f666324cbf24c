using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Tests.Rendering;

public class QuantityTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1.0 kB")]
    [InlineData(8_900_000_000, "8.9 GB")]
    [InlineData(54_000_000_000, "54.0 GB")]
    [InlineData(412_400_000, "412 MB")]
    [InlineData(99_960_000, "100 MB")]
    [InlineData(999_600_000, "1.0 GB")]
    public void Sizes_are_si(long bytes, string expected) => Assert.Equal(expected, Quantity.Size(bytes));

    [Theory]
    [InlineData(0, 10, "0 %")]
    [InlineData(10, 10, "100 %")]
    [InlineData(999_999, 1_000_000, "99.9 %")]
    [InlineData(1, 1_000_000_000, "< 0.001 %")]
    [InlineData(76, 10_000, "0.76 %")]
    [InlineData(3, 10_000, "0.030 %")]
    [InlineData(97, 100, "97.0 %")]
    [InlineData(0, 0, "0 %")]
    public void Share_is_never_rounded_to_nothing_or_everything(long part, long whole, string expected) =>
        Assert.Equal(expected, Quantity.Percent(part, whole));

    [Theory]
    [InlineData(0.12, "0.12 s")]
    [InlineData(0.996, "1.0 s")]
    [InlineData(4.2, "4.2 s")]
    [InlineData(59.96, "0 m 59 s")]
    [InlineData(190, "3 m 10 s")]
    [InlineData(7500, "2 h 05 m")]
    public void Durations_are_short(double seconds, string expected) =>
        Assert.Equal(expected, Quantity.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Transfer_names_amount_rate_and_time_left() =>
        Assert.Equal(
            "38.1 / 54.0 GB  13.9 GB/s  0:01",
            TransferColumn.Describe(38_100_000_000, 54_000_000_000, 13_900_000_000, TimeSpan.FromSeconds(1))
        );
}
