using System.Globalization;
using System.Text;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Weights.Handles.Torch;

/// <summary>
/// Which processes made CUDA handles of version 1, read off the names of torch's reader counters: "/torch_PID_RANDOM"
/// (aten/src/ATen/MapAllocator.cpp, NewProcessWideShmHandle).
/// </summary>
internal static class TorchProducers
{
    /// <summary>What the file's metadata says of its producer, once for each process; once without a process where there are none.</summary>
    internal static IReadOnlyList<ProducerInfo> Of(IReadOnlyList<HandleTensor> tensors, ProducerInfo metadata, IDiskFile file)
    {
        int[] pids = [.. tensors.Select(tensor => PidOf(tensor.Cuda?.RefCounterHandle)).OfType<int>().Distinct()];
        DateTimeOffset written = File.GetLastWriteTimeUtc(file.Path);
        return pids.Length == 0 ? [metadata] : [.. pids.Select(pid => metadata with { Pid = pid, WrittenAt = written })];
    }

    private static int? PidOf(byte[]? counter)
    {
        string[] parts = counter is null ? [] : Encoding.ASCII.GetString(counter).Split('_');
        return parts is ["/torch", var pid, ..] && int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : null;
    }
}
