namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>The first message to the host: which Python, which windows, what to open.</summary>
/// <param name="Protocol">Version of the protocol, <see cref="HostChannel.Protocol"/>.</param>
/// <param name="WindowsPath">The shared memory, as a path that the child can open.</param>
/// <param name="WindowsBytes">All windows together.</param>
/// <param name="Interpreter">The Python to embed.</param>
/// <param name="Source">What to open.</param>
internal sealed record HostOpenRequest(
    int Protocol,
    string WindowsPath,
    int WindowsBytes,
    PythonInterpreter Interpreter,
    HostSourceRequest Source
);
