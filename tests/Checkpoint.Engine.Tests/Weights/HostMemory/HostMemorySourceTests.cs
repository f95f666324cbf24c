using System.Text.Json.Nodes;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.HostMemory;

public sealed class HostMemorySourceTests : WeightSourceContract
{
    protected override IWeightSource Open(string folder, IReadOnlyList<ContractTensor> tensors) =>
        OpenHandles(HandlesText.Write(folder, HandlesText.Publish(folder, tensors)));

    [Fact]
    public void Ranks_of_a_directory_are_read_together()
    {
        using TempDirectory folder = TempDirectory.InMemory();
        ContractTensor[] ranks = [ContractTensor.Of("w", ElementType.BF16, 1, 4, 8), ContractTensor.Of("w", ElementType.BF16, 2, 4, 8)];
        for (int rank = 0; rank < 2; rank++)
        {
            HandlesText.Write(folder.Path, HandlesText.Publish(folder.Path, [ranks[rank]], rank), $"weights.rank{rank}.json");
        }

        JsonArray names = ["weights.rank0.json", "weights.rank1.json"];
        HandlesText.Write(
            folder.Path,
            new JsonObject
            {
                ["format"] = "apollo-handles-index",
                ["version"] = 2,
                ["ranks"] = names,
            },
            "index.json"
        );
        using IWeightSource source = OpenHandles(folder.Path);
        Assert.Equal([0, 1], source.Tensors.Select(tensor => tensor.Rank));
        for (int rank = 0; rank < 2; rank++)
        {
            Assert.Equal(ranks[rank].Memory, ReadRange(source, source.Tensors[rank], 0, 64));
        }
    }

    [Fact]
    public void Two_names_of_the_same_bytes_have_the_same_storage_key()
    {
        using TempDirectory folder = TempDirectory.InMemory();
        JsonObject handles = HandlesText.Publish(
            folder.Path,
            [ContractTensor.Of("embed", ElementType.BF16, 1, 4, 8), ContractTensor.Of("other", ElementType.BF16, 2, 4, 8)]
        );
        handles["tensors"]!.AsArray().Add(new JsonObject { ["name"] = "head", ["alias_of"] = "embed" });
        using IWeightSource source = OpenHandles(HandlesText.Write(folder.Path, handles));
        Assert.Equal(Find(source, "embed").StorageKey, Find(source, "head").StorageKey);
        Assert.NotEqual(Find(source, "embed").StorageKey, Find(source, "other").StorageKey);
        Assert.Equal(ReadRange(source, Find(source, "embed"), 0, 64), ReadRange(source, Find(source, "head"), 0, 64));
    }

    [Fact]
    public void What_a_trainer_writes_is_read_at_once()
    {
        using TempDirectory folder = TempDirectory.InMemory();
        using IWeightSource source = Open(folder.Path, [ContractTensor.Of("w", ElementType.BF16, 1, 4, 8)]);
        using (FileStream memory = File.OpenWrite(folder.File("rank0.weights")))
        {
            memory.Position = 64;
            memory.Write([1, 2, 3, 4]);
        }

        Assert.Equal([1, 2, 3, 4], ReadRange(source, source.Tensors[0], 0, 4));
    }

    [Fact]
    public void A_memory_file_that_is_gone_or_too_short_is_said()
    {
        using TempDirectory folder = TempDirectory.InMemory();
        string path = HandlesText.Write(folder.Path, HandlesText.Publish(folder.Path, [ContractTensor.Of("w", ElementType.BF16, 1, 4, 8)]));
        using (FileStream memory = File.OpenWrite(folder.File("rank0.weights")))
        {
            memory.SetLength(100);
        }

        Assert.Equal(
            $"live memory {folder.File("rank0.weights")} has 100 bytes, the handles need 192",
            Failure(CheckpointError.SourceUnavailable, () => OpenHandles(path))
        );
        File.Delete(folder.File("rank0.weights"));
        Assert.Equal(
            $"live memory {folder.File("rank0.weights")} is gone",
            Failure(CheckpointError.SourceUnavailable, () => OpenHandles(path))
        );
    }

    [Fact]
    public void A_memory_file_that_is_cut_short_under_us_is_an_error_and_no_crash()
    {
        using TempDirectory folder = TempDirectory.InMemory();
        using IWeightSource source = Open(folder.Path, [ContractTensor.Of("w", ElementType.BF16, 1, 64, 64)]);
        using (FileStream memory = File.OpenWrite(folder.File("rank0.weights")))
        {
            memory.SetLength(4096);
        }

        Assert.Equal(
            $"live memory {folder.File("rank0.weights")} was cut short while it was read",
            Failure(CheckpointError.SourceUnavailable, () => ReadRange(source, source.Tensors[0], 0, 8192))
        );
    }

    [Fact]
    public void A_memory_file_that_others_may_write_is_refused()
    {
        using TempDirectory folder = TempDirectory.InMemory();
        string path = HandlesText.Write(folder.Path, HandlesText.Publish(folder.Path, [ContractTensor.Of("w", ElementType.BF16, 1, 4, 8)]));
        File.SetUnixFileMode(folder.File("rank0.weights"), (UnixFileMode)0x1B6);
        Assert.Equal(
            $"{folder.File("rank0.weights")} can be written by its group or by everybody (mode 0666)",
            Failure(CheckpointError.HandlesUnsafe, () => OpenHandles(path))
        );
    }

    private static IWeightSource OpenHandles(string path) =>
        WeightSources.Open(new SyncRequest { ModelDirectory = "", Handles = path }, CancellationToken.None).Source;

    private static string Failure(CheckpointError error, Action action)
    {
        CheckpointException failure = Assert.Throws<CheckpointException>(action);
        Assert.Equal(error, failure.Error);
        return failure.Message;
    }
}
