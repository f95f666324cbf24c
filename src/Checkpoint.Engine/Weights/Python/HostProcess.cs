using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>
/// The engine's end of the python host: a child process of this tool, so that a crash of CUDA or Python, or torch's slow shutdown, never
/// takes the engine with it. Call order: <see cref="Start"/>, <see cref="Open"/> once, <see cref="TryRead"/> and <see cref="Fetch"/> from any
/// number of threads, dispose.
/// </summary>
internal sealed class HostProcess : IDisposable
{
    /// <summary>How long something that ends by itself is waited for.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly Process process;
    private readonly HostChannel channel;
    private readonly SharedWindows windows;
    private readonly OutputTail errors;
    private readonly HostWindows fetching;
    private IReadOnlyList<HostTensor> tensors = [];
    private ChildMemory? memory;
    private bool disposed;

    private HostProcess(Process process, SharedWindows windows)
    {
        this.process = process;
        this.windows = windows;
        channel = new HostChannel(process.StandardOutput.BaseStream, process.StandardInput.BaseStream);
        errors = new OutputTail(process.StandardError.BaseStream);
        fetching = new HostWindows(windows, channel, Death, () => errors.LastLines(TimeSpan.Zero));
    }

    /// <summary>The child's process id.</summary>
    internal int ProcessId => process.Id;

    /// <summary>Starts the child.</summary>
    /// <param name="toolCommand">File and first arguments that start this tool.</param>
    /// <exception cref="CheckpointException">SourceUnavailable: it does not start.</exception>
    internal static HostProcess Start(IReadOnlyList<string> toolCommand)
    {
        if (toolCommand.Count == 0)
        {
            throw new ArgumentException("the command that starts this tool is not set", nameof(toolCommand));
        }

        ProcessStartInfo start = new(toolCommand[0], [.. toolCommand.Skip(1), PythonHostMain.Verb])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        SharedWindows? windows = null;
        try
        {
            windows = SharedWindows.Create(Math.Clamp(Environment.ProcessorCount, 2, 16));
            Process process = Process.Start(start) ?? throw new Win32Exception("it did not start");
            return new HostProcess(process, windows);
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            windows?.Dispose();
            string message = $"the python source's process cannot be started ({toolCommand[0]}): {e.Message}";
            throw new CheckpointException(
                CheckpointError.SourceUnavailable,
                message,
                "check the installation: apollo-checkpoint doctor",
                e
            );
        }
    }

    /// <summary>Embeds the interpreter in the child and opens the source.</summary>
    /// <returns>The open tensors, in the order of their numbers.</returns>
    /// <exception cref="CheckpointException">What <c>host.py</c> says, or SourceUnavailable: the child died.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the child is killed.</exception>
    internal HostOpenReply Open(PythonInterpreter interpreter, HostSourceRequest source, CancellationToken cancellation)
    {
        using CancellationTokenRegistration kill = cancellation.Register(Kill);
        HostOpenRequest request = new(HostChannel.Protocol, windows.PathForChild, windows.Bytes, interpreter, source);
        HostOpenReply reply = Exchange(request, cancellation);
        if (reply.Error is not null || reply.Tensors is null)
        {
            HostFailure failure = reply.Error ?? new HostFailure("unavailable", "the python host gave no list of tensors", null);
            throw failure.ToException(errors.LastLines(TimeSpan.Zero));
        }

        tensors = reply.Tensors;
        memory = ChildMemory.TryOpen(process.Id);
        fetching.Start();
        return reply;
    }

    /// <summary>
    /// Copies a piece of a tensor that lies in the child's memory as it is, without a word to the child: it keeps every tensor open, so
    /// addresses hold.
    /// </summary>
    /// <param name="tensor">Its number.</param>
    /// <param name="byteOffset">Bytes from its start in contiguous order.</param>
    /// <param name="destination">Filled whole.</param>
    /// <returns>False: the child has to bring the bytes together (<see cref="Fetch"/>), or the system does not show its memory.</returns>
    /// <exception cref="CheckpointException">SourceUnavailable: the child died, or the memory behind the tensor is gone.</exception>
    internal bool TryRead(int tensor, long byteOffset, Span<byte> destination)
    {
        HostTensor place = tensors[tensor];
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteOffset, place.Bytes - destination.Length);
        if (memory is null || place.Pointer == 0)
        {
            return false;
        }

        try
        {
            return memory.TryRead(place.Pointer + byteOffset, destination) ? true : throw Death(null);
        }
        catch (IOException e)
        {
            string message = $"tensor \"{place.Name}\" cannot be read: {e.Message}";
            throw new CheckpointException(CheckpointError.SourceUnavailable, message, "is the producer still running?", e);
        }
    }

    /// <inheritdoc cref="HostWindows.Fetch"/>
    internal void Fetch(int tensor, long byteOffset, int length, int skip, Span<byte> destination) =>
        fetching.Fetch(tensor, byteOffset, length, skip, destination);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (disposed)
        {
            return;
        }

        disposed = true;
        // Nothing in the child needs an orderly end: it only reads, and torch's own end takes seconds.
        fetching.Close(new CheckpointException(CheckpointError.SourceUnavailable, "the python source is closed"));
        Kill();
        _ = process.WaitForExit(Grace);
        fetching.Dispose();
        process.Dispose();
        memory?.Dispose();
    }

    private HostOpenReply Exchange(HostOpenRequest request, CancellationToken cancellation)
    {
        try
        {
            channel.Write(HostMessage.Open, JsonSerializer.SerializeToUtf8Bytes(request, PythonJson.Default.HostOpenRequest));
            if (channel.TryRead() is (HostMessage.Opened, byte[] payload))
            {
                return JsonSerializer.Deserialize(payload, PythonJson.Default.HostOpenReply) ?? throw Death(null);
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException or JsonException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw Death(e);
        }

        cancellation.ThrowIfCancellationRequested();
        throw Death(null);
    }

    /// <summary>The child ended or talks nonsense; its own last words explain it best.</summary>
    private CheckpointException Death(Exception? inner)
    {
        string how = process.WaitForExit(Grace) ? Describe(process.ExitCode) : "it closed its pipe";
        Kill();
        return new CheckpointException(
            CheckpointError.SourceUnavailable,
            $"the Python that reads the weights is gone: {how}",
            "is the producer still running? Then run it again",
            inner
        )
        {
            Details = errors.LastLines(Grace),
        };
    }

    private static string Describe(int exitCode) =>
        exitCode > 128 ? $"killed by signal {exitCode - 128}" : $"it ended with exit code {exitCode}";

    private void Kill()
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }
}
