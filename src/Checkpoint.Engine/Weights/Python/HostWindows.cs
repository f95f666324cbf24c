using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text.Json;

namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>
/// Pieces of tensors that the child copies into windows on request: each reader has a window for a while, and one thread hands out the
/// answers. Call order: <see cref="Start"/> when the child has opened the source, <see cref="Fetch"/> from any number of threads,
/// <see cref="Close"/>, dispose when the child is gone.
/// </summary>
/// <param name="windows">The memory.</param>
/// <param name="channel">To the child.</param>
/// <param name="death">Says how the child ended, when it is found dead or talking nonsense.</param>
/// <param name="lastWords">What the child wrote to its error stream, for the message of a failure.</param>
internal sealed class HostWindows(
    SharedWindows windows,
    HostChannel channel,
    Func<Exception?, CheckpointException> death,
    Func<IReadOnlyList<(string Label, string Text)>> lastWords
) : IDisposable
{
    private readonly WindowSlot[] slots = [.. Enumerable.Range(0, windows.Count).Select(_ => new WindowSlot())];
    private readonly BlockingCollection<int> free = new(new ConcurrentStack<int>(Enumerable.Range(0, windows.Count)));
    private Thread? receiver;
    private volatile CheckpointException? broken;

    /// <summary>Begins to take answers.</summary>
    internal void Start()
    {
        receiver = new Thread(Receive) { IsBackground = true, Name = "python host answers" };
        receiver.Start();
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
                throw failure.ToException(lastWords());
            }

            windows[window].Slice(skip, destination.Length).CopyTo(destination);
        }
        finally
        {
            free.Add(window);
        }
    }

    /// <summary>Before the child is ended: whoever still waits is told this.</summary>
    internal void Close(CheckpointException reason) => broken ??= reason;

    /// <summary>When the child is gone.</summary>
    public void Dispose()
    {
        _ = receiver?.Join(HostProcess.Grace);
        windows.Dispose();
        free.Dispose();
        Array.ForEach(slots, slot => slot.Dispose());
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
            throw death(e);
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

            broken ??= death(null);
        }
        catch (Exception e)
            when (e is IOException or InvalidDataException or JsonException or ArgumentException or IndexOutOfRangeException)
        {
            broken ??= death(e);
        }

        foreach (WindowSlot slot in slots)
        {
            slot.Complete(null);
        }
    }
}
