using System.Globalization;

namespace ApolloCheckpoint.Tool.Tests.Faults;

/// <summary>One run of the real tool with one fault.</summary>
/// <param name="Run">How it ended; 137 when it was killed.</param>
/// <param name="Log">What it did to the model directory, a line each: "17 fsync PATH", and "+ failed" under what was made to fail.</param>
internal sealed record FaultRun(ToolRun Run, IReadOnlyList<string> Log)
{
    /// <summary>Its operations, without their numbers.</summary>
    public IReadOnlyList<string> Operations => [.. Log.Where(line => line[0] != '+').Select(line => line[(line.IndexOf(' ') + 1)..])];

    /// <summary>Operations that are made to fail, by number.</summary>
    public static string Fault(int operation, string kind) => string.Create(CultureInfo.InvariantCulture, $"{operation}:{kind}");

    /// <summary>
    /// What was done after a failed flush as if the file were durable: flushed again, or given its final name, without having been made
    /// anew. Null when nothing was.
    /// </summary>
    public string? TrustedAfterFailedFlush()
    {
        int failure = Log.ToList().IndexOf("+ failed");
        string[] words = failure > 0 ? Log[failure - 1].Split(' ', 3) : [];
        if (words is not [_, "fsync", var path])
        {
            return null;
        }

        foreach (string line in Log.Skip(failure + 1).Where(line => line[0] != '+'))
        {
            string operation = line[(line.IndexOf(' ') + 1)..];
            if (operation == $"create {path}" || operation == $"unlink {path}")
            {
                return null;
            }

            if (operation == $"fsync {path}" || operation.StartsWith($"rename {path} -> ", StringComparison.Ordinal))
            {
                return $"{operation} after {Log[failure - 1]} had failed";
            }
        }

        return null;
    }
}
