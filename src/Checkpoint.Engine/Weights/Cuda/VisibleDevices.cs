using System.Globalization;
using System.Text;

namespace ApolloCheckpoint.Engine.Weights.Cuda;

/// <summary>
/// What decides a process's numbering of devices. Handles of version 1 carry the producer's number; with another environment it is another
/// device here.
/// </summary>
/// <param name="Devices">CUDA_VISIBLE_DEVICES: numbers or UUIDs, the first is 0; null: all, in the driver's order.</param>
/// <param name="Order">CUDA_DEVICE_ORDER, or null for the driver's own.</param>
internal readonly record struct VisibleDevices(string? Devices, string? Order)
{
    /// <summary>Of this process.</summary>
    internal static VisibleDevices Own =>
        new(Environment.GetEnvironmentVariable("CUDA_VISIBLE_DEVICES"), Environment.GetEnvironmentVariable("CUDA_DEVICE_ORDER"));

    /// <summary>Of another process of the same user; null where it cannot be read.</summary>
    internal static VisibleDevices? OfProcess(int pid)
    {
        try
        {
            string[] variables = Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{pid}/environ")).Split('\0');
            return new VisibleDevices(Value("CUDA_VISIBLE_DEVICES="), Value("CUDA_DEVICE_ORDER="));

            string? Value(string name) =>
                Array.Find(variables, variable => variable.StartsWith(name, StringComparison.Ordinal))?[name.Length..];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The device that this process calls <paramref name="number"/>, as another one sees it; null where it does not or cannot be told.</summary>
    /// <param name="number">This process's number.</param>
    /// <param name="other">The other one's environment.</param>
    /// <param name="devices">The other one's devices.</param>
    internal CudaDevice? Find(int number, VisibleDevices other, IReadOnlyList<CudaDevice> devices)
    {
        if (this == other)
        {
            return devices.ElementAtOrDefault(number);
        }

        string? name = Devices is null ? number.ToString(CultureInfo.InvariantCulture) : Names(Devices).ElementAtOrDefault(number);
        if (name is null)
        {
            return null;
        }

        if (!int.TryParse(name, CultureInfo.InvariantCulture, out int physical))
        {
            return devices.FirstOrDefault(device => device.Is(name));
        }

        // Two numbers mean the same device only where both processes count in the same order.
        return Order != other.Order ? null
            : other.Devices is null ? devices.ElementAtOrDefault(physical)
            : devices.ElementAtOrDefault(Array.IndexOf(Names(other.Devices), name));
    }

    private static string[] Names(string list) => list.Split(',', StringSplitOptions.TrimEntries);
}
