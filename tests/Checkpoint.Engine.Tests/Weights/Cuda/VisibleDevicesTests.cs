using System.Diagnostics;
using System.Globalization;
using ApolloCheckpoint.Engine.Weights.Cuda;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Cuda;

/// <summary>Which device of ours a producer's number means.</summary>
public class VisibleDevicesTests
{
    private static readonly CudaDevice[] Four =
    [
        .. Enumerable.Range(0, 4).Select(i => new CudaDevice(i, i, $"GPU-{i}0000000-0000-0000-0000-000000000000", "")),
    ];

    [Theory]
    [InlineData(0, null, null, 0)]
    [InlineData(3, null, null, 3)]
    [InlineData(4, null, null, null)]
    [InlineData(0, "2,3", null, 2)]
    [InlineData(1, "2, 3", null, 3)]
    [InlineData(2, "2,3", null, null)]
    [InlineData(1, "1,0", "1,0", 1)]
    [InlineData(0, "1,0", "0,1", 1)]
    [InlineData(1, null, "3,1,2,0", 1)]
    [InlineData(0, "7", "0,1", null)]
    [InlineData(0, "GPU-30000000-0000-0000-0000-000000000000", null, 3)]
    [InlineData(0, "GPU-30000000-0000-0000-0000-000000000000", "3,2,1,0", 3)]
    [InlineData(0, "0", "GPU-30000000-0000-0000-0000-000000000000", null)]
    public void Number_is_found_by_both_environments(int number, string? theirs, string? own, int? expected) =>
        Assert.Equal(expected, new VisibleDevices(theirs, null).Find(number, new VisibleDevices(own, null), Four)?.Ordinal);

    [Fact]
    public void Numbers_of_another_order_cannot_be_told()
    {
        VisibleDevices byBus = new(null, "PCI_BUS_ID");
        Assert.Null(byBus.Find(1, new VisibleDevices(null, null), Four));
        Assert.Equal(1, byBus.Find(1, byBus, Four)?.Ordinal);
    }

    [Fact]
    public void Environment_of_another_process_is_read()
    {
        ProcessStartInfo start = new("sleep", ["60"]);
        start.Environment["CUDA_VISIBLE_DEVICES"] = "5,6";
        start.Environment.Remove("CUDA_DEVICE_ORDER");
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("sleep did not start");
        try
        {
            // Until the child has become "sleep" it shows its parent's environment, and then for a moment none.
            string proc = string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Id}");
            while (File.ReadAllText($"{proc}/comm").Trim() != "sleep" || File.ReadAllBytes($"{proc}/environ").Length == 0)
            {
                Thread.Yield();
            }

            Assert.Equal(new VisibleDevices("5,6", null), VisibleDevices.OfProcess(process.Id));
        }
        finally
        {
            process.Kill();
            process.WaitForExit();
        }

        Assert.Null(VisibleDevices.OfProcess(process.Id));
    }

    [Theory]
    [InlineData("GPU-5f3c1d2e-0000-1111-2222-333344445555", true)]
    [InlineData("5f3c1d2e-0000-1111-2222-333344445555", true)]
    [InlineData("gpu-5F3C1D2E-0000-1111-2222-333344445555", true)]
    [InlineData("MIG-5f3c1d2e-0000-1111-2222-333344445555", true)]
    [InlineData("GPU-5f3c1d2e", false)]
    [InlineData("", false)]
    public void Uuid_is_compared_by_its_digits(string published, bool expected) =>
        Assert.Equal(expected, new CudaDevice(0, 0, "GPU-5f3c1d2e-0000-1111-2222-333344445555", "").Is(published));
}
