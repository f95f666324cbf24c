using System.Text;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>Puts a word in front of every line, and writes whole lines only, so that several parts may share a stream.</summary>
/// <param name="inner">The stream.</param>
/// <param name="prefix">The word, with its blank.</param>
internal sealed class PrefixedWriter(TextWriter inner, string prefix) : TextWriter
{
    private readonly StringBuilder line = new();

    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <inheritdoc/>
    public override void Write(char value)
    {
        lock (line)
        {
            if (value != '\n')
            {
                line.Append(value);
                return;
            }

            // One call: the console's writer is synchronized by call.
            inner.Write(prefix + line.ToString().TrimEnd('\r') + "\n");
            line.Clear();
        }
    }
}
