using System.Buffers.Binary;
using System.Collections.Concurrent;
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
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly Process process;
    private readonly HostChannel channel;
    private readonly SharedWindows windows;
    private readonly OutputTail errors;
    private readonly WindowSlot[] slots;
    private readonly BlockingCollection<int> free = new(new ConcurrentStack<int>());
    private IReadOnlyList<HostTensor> tensors = [];
    private ChildMemory? memory;
    private Thread? receiver;
    private volatile CheckpointException? broken;
    private bool disposed;

    private HostProcess(Process process, SharedWindows windows)
    {
        this.process = process;
        this.windows = windows;
        channel = new HostChannel(process.StandardOutput.BaseStream, process.StandardInput.BaseStream);
        errors = new OutputTail(process.StandardError.BaseStream);
        slots = new WindowSlot[windows.Count];
        for (int i = 0; i < slots.Length; i++)
        {
            slots[i] = new WindowSlot();
            free.Add(i);
        }
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
        receiver = new Thread(Receive) { IsBackground = true, Name = "python host answers" };
        receiver.Start();
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
            return memory.TryRead(place.Pointer + byteOffset, destination) ? true : throw Death();
        }
        catch (IOException e)
        {
            string message = $"tensor \"{place.Name}\" cannot be read: {e.Message}";
            throw new CheckpointException(CheckpointError.SourceUnavailable, message, "is the producer still running?", e);
        }
    }

    /// <summary>Has the child copy a piece of a tensor into a window, and copies it from there.</summary>
    /// <param name="tensor">Its number.</param>
    /// <param name="byteOffset">Bytes from its start in contiguous order, whole elements.</param>
    /// <param name="length">Bytes, whole elements, at most a window.</param>
    /// <param name="skip">Bytes of the piece that are not wanted at its start.</param>
    /// <param name="destination">Filled whole.</param>
    /// <exception cref="CheckpointException">SourceUnavailable: the child died or could not read.</exception>
    internal void Fetch(int tensor, long byteOffset, int length, int skip, Span<byte> destination)
    {
        int window = free.Take();
        try
        {
            WindowSlot slot = slots[window];
            slot.Begin();
            Span<byte> message = stackalloc byte[HostRead.Size];
            new HostRead(window, tensor, byteOffset, length).Write(message);
            Send(message);
            HostFailure? failure = slot.Wait();
            if (broken is { } dead)
            {
                throw dead;
            }

            if (failure is not null)
            {
                throw failure.ToException(errors.LastLines(TimeSpan.Zero));
            }

            windows[window].Slice(skip, destination.Length).CopyTo(destination);
        }
        finally
        {
            free.Add(window);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (disposed)
        {
            return;
        }

        disposed = true;
        // Nothing in the child needs an orderly end: it only reads, and torch's own end takes seconds.
        broken ??= new CheckpointException(CheckpointError.SourceUnavailable, "the python source is closed");
        Kill();
        _ = process.WaitForExit(Grace);
        _ = receiver?.Join(Grace);
        process.Dispose();
        memory?.Dispose();
        windows.Dispose();
        free.Dispose();
        Array.ForEach(slots, slot => slot.Dispose());
    }

    private HostOpenReply Exchange(HostOpenRequest request, CancellationToken cancellation)
    {
        try
        {
            channel.Write(HostMessage.Open, JsonSerializer.SerializeToUtf8Bytes(request, PythonJson.Default.HostOpenRequest));
            if (channel.TryRead() is (HostMessage.Opened, byte[] payload))
            {
                return JsonSerializer.Deserialize(payload, PythonJson.Default.HostOpenReply) ?? throw Death();
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException or JsonException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw Death(e);
        }

        cancellation.ThrowIfCancellationRequested();
        throw Death();
    }

    private void Send(ReadOnlySpan<byte> message)
    {
        if (broken is { } dead)
        {
            throw dead;
        }

        try
        {
            channel.Write(HostMessage.Read, message);
        }
        catch (IOException e)
        {
            throw Death(e);
        }
    }

    /// <summary>Runs on its own thread: hands every answer to the reader that waits for its window, and the child's death to all.</summary>
    private void Receive()
    {
        try
        {
            while (channel.TryRead() is (HostMessage kind, byte[] payload))
            {
                int window = BinaryPrimitives.ReadInt32LittleEndian(payload);
                HostFailure? failure =
                    kind == HostMessage.Failed ? JsonSerializer.Deserialize(payload.AsSpan(4), PythonJson.Default.HostFailure) : null;
                slots[window].Complete(failure);
            }

            broken ??= Death();
        }
        catch (Exception e)
            when (e is IOException or InvalidDataException or JsonException or ArgumentException or IndexOutOfRangeException)
        {
            broken ??= Death(e);
        }

        foreach (WindowSlot slot in slots)
        {
            slot.Complete(null);
        }
    }

    /// <summary>The child ended or talks nonsense; its own last words explain it best.</summary>
    private CheckpointException Death(Exception? inner = null)
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
