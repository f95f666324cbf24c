namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>The kinds of message between the engine and its python host.</summary>
internal enum HostMessage : byte
{
    /// <summary>To the host, once and first: <see cref="HostOpenRequest"/> as JSON.</summary>
    Open = 1,

    /// <summary>From the host: <see cref="HostOpenReply"/> as JSON.</summary>
    Opened = 2,

    /// <summary>To the host: <see cref="HostRead"/>, 20 bytes.</summary>
    Read = 3,

    /// <summary>From the host: the number of the window that is filled, 4 bytes.</summary>
    Filled = 4,

    /// <summary>From the host: the number of the window that could not be filled, 4 bytes, then <see cref="HostFailure"/> as JSON.</summary>
    Failed = 5,
}
