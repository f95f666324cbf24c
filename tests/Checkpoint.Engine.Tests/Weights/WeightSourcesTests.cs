using System.Diagnostics;
using System.Text.Json.Nodes;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Tests.Weights.Archive;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights;

public sealed class WeightSourcesTests : IDisposable
{
    private static readonly ContractTensor Tensor = ContractTensor.Of("w", ElementType.BF16, 1, 4, 8);
    private readonly TempDirectory folder = TempDirectory.InMemory();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(SourceKind.Auto, "the handles name files")]
    [InlineData(SourceKind.Host, "asked for by --source host")]
    public void Files_are_opened_as_host_memory(SourceKind kind, string choice)
    {
        string path = HandlesText.Write(folder.Path, HandlesText.Publish(folder.Path, [Tensor]));
        using OpenedSource opened = Open(path, kind);
        Assert.Equal(("host memory", choice), (opened.Source.Kind, opened.Choice));
    }

    [Fact]
    public void A_model_directory_is_opened_as_safetensors()
    {
        TinyModel model = TinyModel.Write(folder.File("m"), TinyModel.Small);
        using OpenedSource opened = Open(model.Path, SourceKind.Auto);
        Assert.Equal(("safetensors", "it is a model directory"), (opened.Source.Kind, opened.Choice));
    }

    [Fact]
    public void A_forced_source_does_not_open_memory_of_another_kind()
    {
        string json = HandlesText.Write(folder.Path, HandlesText.Publish(folder.Path, [Tensor]));
        Refused(json, SourceKind.Archive, $"--source archive does not open {json}, which names files");
        Refused(json, SourceKind.Native, $"--source native does not open {json}, which names files");
        TorchArchiveSourceTests.OpenBytes(folder.Path, TorchArchiveBytes.Build([Tensor])).Dispose();
        string archive = folder.File("w.pt");
        Refused(archive, SourceKind.Host, $"--source host does not open {archive}, which names tensors stored in the file itself");
    }

    [Fact]
    public void Handles_of_a_dead_producer_open_nothing()
    {
        using Process process = Process.Start("true");
        process.WaitForExit();
        JsonObject handles = HandlesText.Publish(folder.Path, [Tensor]);
        handles["producer"] = new JsonObject { ["kind"] = "vllm", ["pid"] = process.Id };
        string path = HandlesText.Write(folder.Path, handles);
        CheckpointException failure = Assert.Throws<CheckpointException>(() => Open(path, SourceKind.Auto));
        Assert.Equal(
            (CheckpointError.ProducerGone, $"the handles were written by process {process.Id}, which is gone"),
            (failure.Error, failure.Message)
        );
    }

    private static OpenedSource Open(string path, SourceKind kind) =>
        WeightSources.Open(
            new SyncRequest
            {
                ModelDirectory = "",
                Handles = path,
                Source = kind,
            },
            CancellationToken.None
        );

    private static void Refused(string path, SourceKind kind, string message)
    {
        CheckpointException failure = Assert.Throws<CheckpointException>(() => Open(path, kind));
        Assert.Equal((CheckpointError.SourceUnsupported, message), (failure.Error, failure.Message));
    }
}
