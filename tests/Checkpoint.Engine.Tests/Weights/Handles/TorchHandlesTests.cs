using System.Diagnostics;
using System.Text.Json.Nodes;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Handles;

public sealed class TorchHandlesTests
{
    private const string Marker = "apollo-fixture-was-executed";

    public static IEnumerable<object[]> Good => TorchFixtures.Names("good");

    public static IEnumerable<object[]> Hostile => TorchFixtures.Names("hostile");

    [Theory]
    [MemberData(nameof(Good))]
    public void A_good_file_gives_every_expected_field(string name)
    {
        JsonObject expected = TorchFixtures.ExpectedOf("good", name);
        using IDiskFile file = Disk.Instance.Open(TorchFixtures.PathOf("good", name));
        HandlesFile handles = HandlesFile.Parse(file, CancellationToken.None);
        Assert.Equal((string?)expected["format"], handles.Format == HandlesFormat.TorchZip ? "zip" : "legacy");
        JsonObject entries = expected["entries"]!.AsObject();
        Assert.Equal(
            entries.Select(entry => entry.Key).Order(StringComparer.Ordinal),
            handles.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal)
        );
        foreach ((string key, JsonNode? record) in expected["records"]?.AsObject() ?? [])
        {
            HandleAllocation allocation = handles.Allocations.Single(candidate => candidate.Record == key);
            Assert.Equal((long)record!["offset"]!, allocation.FileOffset);
            Assert.Equal((long?)record["length"] ?? allocation.Size, allocation.Size);
        }

        foreach (HandleTensor tensor in handles.Tensors)
        {
            JsonObject entry = entries[tensor.Name]!.AsObject();
            JsonObject found = Describe(tensor);
            bool isArchive = (string?)entry["source"] == "archive";
            foreach (
                (string field, JsonNode? value) in entry.Where(pair =>
                    !NotKept.Contains(pair.Key) && !(isArchive && pair.Key == "tensor_class")
                )
            )
            {
                Assert.True(found.ContainsKey(field), $"no field {field}");
                Assert.True(
                    JsonNode.DeepEquals(value, found[field]),
                    $"{tensor.Name} {field}: {found[field]?.ToJsonString()}, not {value?.ToJsonString()}"
                );
            }
        }
    }

    [Theory]
    [MemberData(nameof(Good))]
    public void A_good_file_is_described_with_digests(string name)
    {
        JsonObject entries = TorchFixtures.ExpectedOf("good", name)["entries"]!.AsObject();
        HandlesDescription description = HandlesDescription.Describe(
            TorchFixtures.PathOf("good", name),
            null,
            digest: true,
            CancellationToken.None
        );
        JsonArray rows = JsonNode.Parse(description.ToJson())!["tensors"]!.AsArray();
        Assert.Equal(entries.Count, rows.Count);
        foreach (JsonObject row in rows.Select(node => node!.AsObject()))
        {
            JsonObject entry = entries[(string)row["name"]!]!.AsObject();
            bool isArchive = (string?)entry["source"] == "archive";
            Assert.Equal((string?)entry["source"], (string?)row["source"]);
            Assert.Equal(
                isArchive ? (string?)entry["sha256"]
                    : (string?)row["source"] == "empty" ? EmptySha256
                    : null,
                (string?)row["sha256"]
            );
            Assert.Equal((string?)entry["storage_key"], (string?)row["record"]);
        }

        // A handle is a capability: neither its hex nor its base64 may stand in what is shown.
        string json = description.ToJson();
        foreach (string hex in entries.Select(pair => (string?)pair.Value!["handle"]).OfType<string>().Distinct())
        {
            Assert.DoesNotContain(hex[..16], json, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Convert.ToBase64String(Convert.FromHexString(hex))[..12], json, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Hostile))]
    public void A_hostile_file_ends_in_one_clear_error_and_executes_nothing(string name)
    {
        Stopwatch watch = Stopwatch.StartNew();
        long before = GC.GetAllocatedBytesForCurrentThread();
        CheckpointException failure = Assert.ThrowsAny<CheckpointException>(() =>
            HandlesDescription.Describe(TorchFixtures.PathOf("hostile", name), null, digest: true, CancellationToken.None)
        );
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Contains(failure.Error, new[] { CheckpointError.HandlesMalformed, CheckpointError.HandlesUnsafe });
        Assert.InRange(failure.Message.Length, 20, 500);
        Assert.True(allocated < 64 << 20, $"{allocated} bytes allocated");
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"{watch.Elapsed}: the work is not bounded");
        Assert.False(File.Exists(Marker) || File.Exists(Path.Combine(Fixtures.Handles, "hostile", Marker)), "a payload was executed");
    }

    [Fact]
    public void Segments_are_told_apart_by_their_handles()
    {
        using IDiskFile file = Disk.Instance.Open(TorchFixtures.PathOf("good", "cuda_shared_segments.pt"));
        HandlesFile handles = HandlesFile.Parse(file, CancellationToken.None);
        Assert.Equal((18, 3), (handles.Tensors.Count, handles.Allocations.Count));
        Assert.All(handles.Tensors, tensor => Assert.True(tensor.AllocationOffset + tensor.Layout.Extent <= tensor.Allocation!.Size));
    }

    [Fact]
    public void Metadata_tells_of_the_producer()
    {
        using IDiskFile file = Disk.Instance.Open(TorchFixtures.PathOf("good", "cuda_metadata.pt"));
        ProducerInfo producer = HandlesFile.Parse(file, CancellationToken.None).Producer;
        Assert.Equal(("/models/Demo-1B", "vLLM 0.28.0"), (producer.ModelPath, producer.Description));
    }

    [Fact]
    public void Expandable_segments_are_not_opened_by_the_driver_alone()
    {
        using TempDirectory folder = new();
        string path = CopyPrivate(folder, "cuda_expandable.pt");
        CheckpointException failure = Assert.Throws<CheckpointException>(() =>
            WeightSources.Open(
                new SyncRequest
                {
                    ModelDirectory = "",
                    Handles = path,
                    Source = SourceKind.Native,
                },
                CancellationToken.None
            )
        );
        Assert.Equal(
            (
                CheckpointError.SourceUnsupported,
                $"--source native does not open {path}, which names CUDA memory in expandable segments",
                "unset PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True in the producer, or let torch open them: --source python"
            ),
            (failure.Error, failure.Message, failure.Next)
        );
    }

    /// <summary>A private copy: whatever the mode of the checkout.</summary>
    internal static string CopyPrivate(TempDirectory folder, string name)
    {
        File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string path = folder.File(name);
        File.Copy(TorchFixtures.PathOf("good", name), path);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    private const string EmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// <summary>The digest has its own test; classes and location of a storage change nothing; the extras were compared with the tuple.</summary>
    private static readonly HashSet<string> NotKept =
    [
        "sha256",
        "storage_location",
        "storage_type",
        "storage_class",
        "storage_numel",
        "entry_shape",
        "entry_dtype",
        "stored_big_endian",
    ];

    private static JsonObject Describe(HandleTensor tensor)
    {
        TensorDescription shown = TensorDescription.Of(tensor, null);
        JsonObject found = new()
        {
            ["source"] = shown.Source,
            ["dtype"] = shown.Dtype,
            ["shape"] = new JsonArray([.. shown.Shape.Select(n => JsonValue.Create(n))]),
            ["stride"] = new JsonArray([.. shown.Stride.Select(n => JsonValue.Create(n))]),
            ["storage_offset"] = shown.StorageOffset,
            ["requires_grad"] = tensor.RequiresGrad,
            ["path"] = new JsonArray([.. tensor.Name.Split('/').Select(part => JsonValue.Create(part))]),
        };
        if (tensor.Cuda is { } cuda)
        {
            bool isBare = cuda.Handle is null or { Length: 64 };
            found["device"] = cuda.Device;
            found["prefix_version"] = isBare ? null : cuda.Handle![0];
            found["prefix_type"] = isBare ? null : $"{(char)cuda.Handle![1]}";
            found["handle"] = shown.Source == "cuda-ipc" ? Convert.ToHexStringLower(tensor.Allocation!.Handle) : null;
            found["payload"] = shown.Source == "cuda-expandable" ? Convert.ToHexStringLower(tensor.Allocation!.Handle) : null;
            found["storage_size_bytes"] = cuda.StorageSizeBytes;
            found["storage_offset_bytes"] = cuda.StorageOffsetBytes;
            found["ref_counter_handle"] = System.Text.Encoding.ASCII.GetString(cuda.RefCounterHandle);
            found["ref_counter_offset"] = cuda.RefCounterOffset;
            found["event_handle"] = Convert.ToHexStringLower(cuda.EventHandle);
            found["event_sync_required"] = cuda.EventSyncRequired;
            found["tensor_class"] = cuda.TensorClass;
            found["first_byte_in_segment"] = tensor.AllocationOffset;
            found["extent_bytes"] = tensor.Layout.Extent;
        }
        else
        {
            HandleAllocation record = tensor.Allocation!;
            found["storage_key"] = record.Record;
            found["byte_offset"] = tensor.AllocationOffset;
            found["file_offset"] = record.FileOffset + tensor.AllocationOffset;
            found["length"] = tensor.Layout.ByteLength;
            found["contiguous"] = tensor.Layout.IsContiguous;
        }

        return found;
    }
}
