using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.Engine.Weights.Cuda;

/// <summary>One block of the producer's device memory, opened.</summary>
internal sealed class CudaBlock : IDisposable
{
    private bool isClosed;

    private CudaBlock(CudaContext context, ulong pointer)
    {
        Context = context;
        Pointer = pointer;
    }

    /// <summary>The context that it is opened in.</summary>
    internal CudaContext Context { get; }

    /// <summary>Its first byte, an address of the device.</summary>
    internal ulong Pointer { get; }

    /// <summary>Opens it, and proves with the driver that it is as long as the handles say: every tensor was proven to lie inside that.</summary>
    /// <param name="context">Of the device it lies on.</param>
    /// <param name="allocation">The handle.</param>
    /// <param name="bytes">Bytes needed from its start.</param>
    /// <exception cref="CheckpointException">SourceUnavailable: the driver refuses the handle, or the block is shorter.</exception>
    internal static CudaBlock Open(CudaContext context, HandleAllocation allocation, long bytes)
    {
        ICudaDriver driver = context.Driver;
        string what = $"block {allocation.Fingerprint} of {context.Device.Uuid}";
        using CudaContext.Scope scope = context.Enter();
        CudaFailure.Require(driver, driver.IpcOpen(out ulong pointer, allocation.Handle), $"opening {what}");
        CudaBlock block = new(context, pointer);
        try
        {
            CudaFailure.Require(driver, driver.AddressRange(out ulong start, out ulong size, pointer), $"asking for the length of {what}");
            return start == pointer && size >= (ulong)bytes
                ? block
                : throw CudaFailure.Of(
                    $"{what} has {size} bytes, the handles need {bytes}",
                    "restart the producer, so that it publishes again"
                );
        }
        catch
        {
            block.CloseInside();
            throw;
        }
    }

    /// <summary>Closes it. What the driver answers changes nothing: there is no second way to close.</summary>
    public void Dispose()
    {
        if (isClosed)
        {
            return;
        }

        using CudaContext.Scope scope = Context.TryEnter();
        if (scope.IsEntered)
        {
            CloseInside();
        }
    }

    private void CloseInside()
    {
        isClosed = true;
        _ = Context.Driver.IpcClose(Pointer);
    }
}
