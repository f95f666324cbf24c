namespace ApolloCheckpoint.Engine.Weights.Cuda;

/// <summary>A device that this process sees.</summary>
/// <param name="Ordinal">Its number among them.</param>
/// <param name="Handle">CUdevice.</param>
/// <param name="Uuid">"GPU-5f3c1d2e-…"; of an instance its own, spelled the same way.</param>
/// <param name="Name">"NVIDIA H100 80GB HBM3".</param>
internal sealed record CudaDevice(int Ordinal, int Handle, string Uuid, string Name)
{
    /// <summary>
    /// Whether a published UUID means this device. torch spells it without prefix, NVML with "GPU-" or "MIG-", the driver gives 16 bytes.
    /// </summary>
    internal bool Is(string uuid) => Digits(uuid).Equals(Digits(Uuid), StringComparison.OrdinalIgnoreCase);

    private static string Digits(string uuid)
    {
        bool hasPrefix =
            uuid.StartsWith("GPU-", StringComparison.OrdinalIgnoreCase) || uuid.StartsWith("MIG-", StringComparison.OrdinalIgnoreCase);
        return uuid[(hasPrefix ? 4 : 0)..].Replace("-", "", StringComparison.Ordinal);
    }
}
