namespace ApolloCheckpoint.Engine.Weights.Cuda;

/// <summary>A stream of copies on one device, and a mark for each of two buffers: whoever waits for one does not wait for the other.</summary>
internal sealed unsafe class CudaLane : IDisposable
{
    private readonly CudaContext context;
    private readonly nint stream;
    private readonly List<nint> marks = [];

    private CudaLane(CudaContext context, nint stream)
    {
        this.context = context;
        this.stream = stream;
    }

    private ICudaDriver Driver => context.Driver;

    /// <summary>Makes one. The context is current.</summary>
    /// <exception cref="CheckpointException">SourceUnavailable.</exception>
    internal static CudaLane Create(CudaContext context)
    {
        CudaFailure.Require(context.Driver, context.Driver.StreamCreate(out nint stream), $"making a stream on {context.Device.Uuid}");
        CudaLane lane = new(context, stream);
        try
        {
            for (int i = 0; i < CudaReadAhead.Buffers; i++)
            {
                CudaFailure.Require(context.Driver, context.Driver.EventCreate(out nint mark), $"making an event on {context.Device.Uuid}");
                lane.marks.Add(mark);
            }

            return lane;
        }
        catch
        {
            lane.DisposeInside();
            throw;
        }
    }

    /// <summary>Begins a copy. The context is current.</summary>
    /// <param name="source">An address of the device, proven to lie in an opened block with all its bytes.</param>
    /// <param name="destination">Pinned memory, left alone until <see cref="Wait"/>.</param>
    /// <param name="tensor">Whose bytes they are, for messages.</param>
    /// <exception cref="CheckpointException">SourceUnavailable.</exception>
    internal void Copy(ulong source, Span<byte> destination, LiveTensor tensor)
    {
        fixed (byte* target = destination)
        {
            Require(Driver.CopyToHost((nint)target, source, destination.Length, stream), "copying", tensor);
        }
    }

    /// <summary>Marks all copies so far as those of a buffer. The context is current.</summary>
    /// <exception cref="CheckpointException">SourceUnavailable.</exception>
    internal void Mark(int buffer, LiveTensor tensor) => Require(Driver.EventRecord(marks[buffer], stream), "marking a copy of", tensor);

    /// <summary>Waits for the copies of a buffer.</summary>
    /// <exception cref="CheckpointException">SourceUnavailable: one of them failed.</exception>
    internal void Wait(int buffer, LiveTensor tensor)
    {
        using CudaContext.Scope scope = context.Enter();
        Require(Driver.EventSynchronize(marks[buffer]), "waiting for a copy of", tensor);
    }

    /// <summary>Waits for all copies, however they end, and lets go.</summary>
    public void Dispose()
    {
        using CudaContext.Scope scope = context.TryEnter();
        if (scope.IsEntered)
        {
            DisposeInside();
        }
    }

    private void DisposeInside()
    {
        _ = Driver.StreamSynchronize(stream);
        foreach (nint mark in marks)
        {
            _ = Driver.EventDestroy(mark);
        }

        marks.Clear();
        _ = Driver.StreamDestroy(stream);
    }

    private void Require(CudaResult result, string doing, LiveTensor tensor)
    {
        if (result != CudaResult.Success)
        {
            CudaFailure.Require(Driver, result, $"{doing} tensor \"{tensor.Name}\" from {context.Device.Uuid}");
        }
    }
}
