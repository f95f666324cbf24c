namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>The one Python text of the program, <c>host.py</c>, out of the assembly.</summary>
internal static class HostScript
{
    /// <summary>Its source.</summary>
    internal static string Text { get; } = Read();

    private static string Read()
    {
        using Stream stream =
            typeof(HostScript).Assembly.GetManifestResourceStream("host.py")
            ?? throw new InvalidOperationException("host.py is not in the assembly");
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
