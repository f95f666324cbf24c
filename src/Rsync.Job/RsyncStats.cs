using System.Globalization;

namespace ApolloCheckpoint.Rsync;

/// <summary>Reads the lines of <c>rsync --stats</c>, for example "Total bytes sent: 1,234".</summary>
internal static class RsyncStats
{
    /// <summary>The number behind a label, or 0 when the line is not there.</summary>
    internal static long Find(string output, string label)
    {
        foreach (string line in output.Split('\n'))
        {
            if (line.StartsWith(label + ":", StringComparison.Ordinal))
            {
                string number = new([
                    .. line[(label.Length + 1)..].TakeWhile(c => c is ' ' or ',' or '.' || char.IsDigit(c)).Where(char.IsDigit),
                ]);
                return long.TryParse(number, CultureInfo.InvariantCulture, out long value) ? value : 0;
            }
        }

        return 0;
    }
}
