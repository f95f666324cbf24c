using Microsoft.Win32.SafeHandles;

namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>
/// The memory of the python host, read where it lies, through /proc/PID/mem: one copy, no message, and no page fault of a mapping. The open
/// file stands for the process itself: once that is gone nothing can be read, whoever gets its number.
/// </summary>
internal sealed class ChildMemory : IDisposable
{
    private readonly SafeFileHandle file;

    private ChildMemory(SafeFileHandle file) => this.file = file;

    /// <summary>Opens a child's memory.</summary>
    /// <returns>The memory, or null: the system does not show it, or the process is gone.</returns>
    internal static ChildMemory? TryOpen(int processId)
    {
        try
        {
            string path = $"/proc/{processId}/mem";
            return new ChildMemory(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Copies memory.</summary>
    /// <param name="address">Address in the child.</param>
    /// <param name="destination">Filled whole.</param>
    /// <returns>False: the child is gone.</returns>
    /// <exception cref="IOException">There is no memory: a mapped file was cut short.</exception>
    internal bool TryRead(long address, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int count = RandomAccess.Read(file, destination, address);
            if (count == 0)
            {
                return false;
            }

            destination = destination[count..];
            address += count;
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
