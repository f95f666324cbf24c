using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>"38.1 / 54.0 GB  13.9 GB/s  0:01": how much, how fast, how long still.</summary>
internal sealed class TransferColumn : ProgressColumn
{
    /// <inheritdoc/>
    public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
        new Text(Describe((long)task.Value, (long)task.MaxValue, task.Speed, task.RemainingTime));

    /// <summary>The text of the column.</summary>
    internal static string Describe(long done, long total, double? bytesPerSecond, TimeSpan? remaining)
    {
        string amount = Quantity.SizeOf(done, total, "/");
        string rate = bytesPerSecond is > 0 and < double.PositiveInfinity ? $"  {Quantity.Size((long)bytesPerSecond)}/s" : "";
        string left = remaining is { } time
            ? "  " + time.ToString(time.TotalHours >= 1 ? @"h\:mm\:ss" : @"m\:ss", CultureInfo.InvariantCulture)
            : "";
        return amount + rate + left;
    }
}
