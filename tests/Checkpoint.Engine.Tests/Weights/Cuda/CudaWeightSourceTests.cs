using System.Text.Json.Nodes;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Tests.Weights.Handles;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Cuda;

[Collection(FakeCuda.Collection)]
[Trait("Ring", "cuda")]
public sealed class CudaWeightSourceTests : WeightSourceContract, IAsyncLifetime
{
    private readonly TempDirectory folder = TempDirectory.InMemory();

    public static IEnumerable<object[]> TorchFiles =>
        TorchFixtures
            .Names("good")
            .Where(row => row[0] is string name && name.StartsWith("cuda_", StringComparison.Ordinal) && !name.Contains("expandable"));

    public static IEnumerable<object[]> HostileTorchFiles =>
        TorchFixtures.Names("hostile").Where(row => row[0] is string name && name.StartsWith("cuda_", StringComparison.Ordinal));

    public Task InitializeAsync()
    {
        FakeCuda.Setup();
        return Task.CompletedTask;
    }

    /// <summary>Whatever a test did: nothing is open, and no rule was broken.</summary>
    public Task DisposeAsync()
    {
        folder.Dispose();
        Assert.Empty(FakeCuda.Report().Findings);
        return Task.CompletedTask;
    }

    protected override IWeightSource Open(string folder, IReadOnlyList<ContractTensor> tensors) =>
        CudaHandles.Open(HandlesText.Write(folder, CudaHandles.Publish(folder, tensors)));

    [SkippableTheory]
    [MemberData(nameof(TorchFiles))]
    public void Handles_of_torch_are_read_through_the_driver(string name)
    {
        string path = TorchHandlesTests.CopyPrivate(folder, name);
        HandlesFile handles = CudaHandles.Read(path);
        FakeCudaMemory memory = new(folder.File("gpu"));
        const string Devices = "10000000-0000-0000-0000-000000000000,20000000-0000-0000-0000-000000000000";
        bool hasTwo = handles.Allocations.Select(allocation => allocation.Device).Distinct().Count() > 1;
        FakeCuda.Setup(memory.Setting, $"FAKE_CUDA_DEVICES={(hasTwo ? Devices : Devices[..36])}");
        Dictionary<HandleAllocation, byte[]> content = [];
        foreach (HandleAllocation allocation in handles.Allocations)
        {
            byte[] bytes = new byte[allocation.Size];
            new Random(content.Count).NextBytes(bytes);
            content.Add(allocation, bytes);
            memory.Put(allocation.Handle, bytes, hasTwo ? allocation.Device ?? 0 : 0);
        }

        if (hasTwo)
        {
            // Who wrote this file is long gone, and with it what its numbers meant.
            CheckpointException failure = Assert.Throws<CheckpointException>(() => CudaHandles.Open(path));
            Assert.Contains("cannot be told", failure.Message, StringComparison.Ordinal);
            return;
        }

        using IWeightSource source = CudaHandles.Open(path);
        foreach ((HandleTensor tensor, LiveTensor live) in handles.Tensors.Zip(source.Tensors))
        {
            byte[] expected = new byte[live.ByteLength];
            tensor.Layout.Gather(
                0,
                expected,
                (offset, target) =>
                    content[tensor.Allocation!].AsSpan((int)(tensor.AllocationOffset + offset), target.Length).CopyTo(target)
            );
            Assert.Equal(expected, ReadRange(source, live, 0, expected.Length));
        }

        Assert.Equal(handles.Allocations.Count, FakeCuda.Report()["opens"]);
    }

    [SkippableTheory]
    [MemberData(nameof(HostileTorchFiles))]
    public void Hostile_handles_never_reach_the_driver(string name)
    {
        string path = folder.File(name);
        File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Copy(TorchFixtures.PathOf("hostile", name), path);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        SyncRequest request = new()
        {
            ModelDirectory = "",
            Handles = path,
            Source = SourceKind.Native,
        };
        CheckpointException failure = Assert.Throws<CheckpointException>(() => WeightSources.Open(request, CancellationToken.None));
        Assert.Equal(CheckpointError.HandlesMalformed, failure.Error);
        Assert.Equal(0, FakeCuda.Report()["calls"]);
    }

    [SkippableFact]
    public void Two_ranks_that_name_one_block_open_it_once()
    {
        ContractTensor tensor = ContractTensor.Of("w", ElementType.BF16, 1, 4, 8);
        JsonObject handles = CudaHandles.Publish(folder.Path, [tensor]);
        handles["allocations"]!.AsArray().Add(Again(handles["allocations"]![0]!, id: 8));
        handles["tensors"]!.AsArray().Add(Again(handles["tensors"]![0]!, alloc: 8));
        using IWeightSource source = CudaHandles.Open(HandlesText.Write(folder.Path, handles));
        Assert.Equal(tensor.Memory, ReadRange(source, Find(source, "again"), 0, 64));
        Assert.Equal(1, FakeCuda.Report()["opens"]);
    }

    [SkippableFact]
    public void Tensors_that_are_not_vouched_for_open_nothing()
    {
        JsonObject handles = CudaHandles.Publish(folder.Path, [ContractTensor.Of("w", ElementType.BF16, 1, 4, 8)]);
        handles["tensors"]![0]!["unsupported"] = "offloaded";
        using IWeightSource source = CudaHandles.Open(HandlesText.Write(folder.Path, handles));
        Assert.Equal(0, FakeCuda.Report()["opens"]);
    }

    [SkippableFact]
    public void Ranges_read_ahead_overlap_and_are_taken_in_order()
    {
        const int Rows = 2048; // twice a chunk
        ContractTensor[] tensors =
        [
            ContractTensor.Of("a", ElementType.BF16, 1, Rows, 1024),
            ContractTensor.Strided("b", ElementType.F32, 2, [64, 3], [9, 1]),
        ];
        using IWeightSource source = Open(folder.Path, tensors);
        using IReadAhead ahead = source.OpenReadAhead() ?? throw new InvalidOperationException("a GPU is read ahead");
        (LiveTensor a, LiveTensor b) = (Find(source, "a"), Find(source, "b"));
        (LiveTensor Live, int Offset, int Length)[] ranges =
        [
            (a, 0, 2 << 20),
            (a, 2 << 20, 2 << 20),
            (b, 4, 700),
            (a, 8, 0),
            (a, 1 << 20, 4096),
        ];
        ahead.Start(ranges[0].Live, ranges[0].Offset, ranges[0].Length);
        for (int i = 0; i < ranges.Length; i++)
        {
            if (i + 1 < ranges.Length)
            {
                ahead.Start(ranges[i + 1].Live, ranges[i + 1].Offset, ranges[i + 1].Length);
            }

            byte[] expected = ReadRange(source, ranges[i].Live, ranges[i].Offset, ranges[i].Length);
            Assert.True(expected.AsSpan().SequenceEqual(ahead.Take().Span), $"range {i}");
        }

        Assert.Throws<InvalidOperationException>(() => ahead.Take());
        Assert.True(FakeCuda.Report()["overlapped_waits"] > 0);
    }

    [SkippableFact]
    public void Range_larger_than_both_buffers_is_read_through_them()
    {
        ContractTensor tensor = ContractTensor.Of("w", ElementType.F32, 1, 3000, 1024);
        using IWeightSource source = Open(folder.Path, [tensor]);
        Assert.True(tensor.Memory.AsSpan().SequenceEqual(ReadRange(source, source.Tensors[0], 0, tensor.Memory.Length)));
        Assert.Equal(2, FakeCuda.Report()["most_in_flight"]);
    }

    private static JsonNode Again(JsonNode row, int? id = null, int? alloc = null)
    {
        JsonNode again = row.DeepClone();
        if (id is not null)
        {
            again["id"] = id;
        }
        else
        {
            again["name"] = "again";
            again["alloc"] = alloc;
        }

        return again;
    }
}
