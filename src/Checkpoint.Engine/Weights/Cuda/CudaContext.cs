namespace ApolloCheckpoint.Engine.Weights.Cuda;

/// <summary>
/// The primary context of a device, retained. A context is current on a thread only inside <see cref="Enter"/>, so that no thread of the
/// engine is left with one that is gone.
/// </summary>
internal sealed class CudaContext : IDisposable
{
    private readonly nint context;
    private bool isReleased;

    private CudaContext(ICudaDriver driver, CudaDevice device, nint context)
    {
        Driver = driver;
        Device = device;
        this.context = context;
    }

    /// <summary>Whose context it is.</summary>
    internal ICudaDriver Driver { get; }

    /// <summary>The device.</summary>
    internal CudaDevice Device { get; }

    /// <summary>Retains it; costs some hundred MB of the device when this process had none.</summary>
    /// <exception cref="CheckpointException">SourceUnavailable: the device is taken, or full.</exception>
    internal static CudaContext Retain(ICudaDriver driver, CudaDevice device)
    {
        CudaFailure.Require(
            driver,
            driver.PrimaryContextRetain(out nint context, device.Handle),
            $"making a context on {device.Uuid} ({device.Name})"
        );
        return new CudaContext(driver, device, context);
    }

    /// <summary>Makes it current on this thread until the scope ends.</summary>
    /// <exception cref="CheckpointException">SourceUnavailable.</exception>
    internal Scope Enter()
    {
        CudaFailure.Require(Driver, Driver.ContextPush(context), $"entering the context of {Device.Uuid}");
        return new Scope(Driver, true);
    }

    /// <summary>The same for whoever lets go of something, and cannot fail: where the driver refuses there is nothing left to let go of.</summary>
    internal Scope TryEnter() => new(Driver, Driver.ContextPush(context) == CudaResult.Success);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!isReleased)
        {
            isReleased = true;
            _ = Driver.PrimaryContextRelease(Device.Handle);
        }
    }

    /// <summary>Current while it lasts.</summary>
    internal readonly ref struct Scope(ICudaDriver driver, bool isEntered) : IDisposable
    {
        /// <summary>Whether the context is current.</summary>
        internal bool IsEntered => isEntered;

        /// <inheritdoc/>
        public void Dispose()
        {
            if (isEntered)
            {
                _ = driver.ContextPop(out _);
            }
        }
    }
}
