using System.Globalization;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>
/// The lines of the program this one replaces, word for word and on its streams (all on standard error, "Dumped" on standard output),
/// for scripts that read them. Its numbers: megabytes of changed blocks, gigabytes compared.
/// </summary>
internal static class ClassicReport
{
    /// <summary>The line it printed before it read anything.</summary>
    public static void Begin(ToolConsole console) => console.Error.WriteLine("Dumping live weights from GPU...");

    /// <summary>The lines it printed when it was done.</summary>
    public static void Write(ToolConsole console, SyncReport report)
    {
        console.Out.WriteLine($"Dumped {report.LiveTensors} tensors, {Fixed(report.ComparedBytes / 1e9, 1)} GB");
        console.Error.WriteLine($"  {report.LiveTensors} tensors dumped");
        long changed = 0;
        foreach (ShardReport shard in report.Shards.Where(shard => shard.ChangedBlockBytes > 0))
        {
            changed += shard.ChangedBlockBytes;
            console.Error.WriteLine($"  {shard.FileName}: {Fixed(shard.ChangedBlockBytes / 1e6, 1)} MB changed");
        }

        if (changed == 0)
        {
            console.Error.WriteLine("No changes — model files are up to date");
            return;
        }

        string share = Fixed((double)changed / report.ComparedBytes * 100, 3);
        console.Error.WriteLine(
            $"Synced: {Fixed(changed / 1e6, 1)} MB changed / {Fixed(report.ComparedBytes / 1e9, 1)} GB total ({share}%)"
        );
    }

    /// <summary>
    /// Rust's {:.n}: the exact binary value, ties to even. .NET agrees except on ties, which only a value with few binary digits can be.
    /// </summary>
    internal static string Fixed(double value, int digits)
    {
        bool canBeTie = value * 65536 == Math.Floor(value * 65536);
        return canBeTie
            ? Math.Round((decimal)value, digits, MidpointRounding.ToEven).ToString("F" + digits, CultureInfo.InvariantCulture)
            : value.ToString("F" + digits, CultureInfo.InvariantCulture);
    }
}
