namespace ApolloCheckpoint.Engine;

/// <summary>Which weight source opens the handles.</summary>
public enum SourceKind
{
    /// <summary>By what the handles file holds and by what opens.</summary>
    Auto,

    /// <summary>CUDA driver, no Python.</summary>
    Native,

    /// <summary>torch through pythonnet, in a child process.</summary>
    Python,

    /// <summary>Host memory: files and shared memory.</summary>
    Host,

    /// <summary>Tensors stored inside a torch archive.</summary>
    Archive,

    /// <summary>Another model directory.</summary>
    Safetensors,
}
