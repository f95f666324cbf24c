using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Archive;

public sealed class TorchArchiveSourceTests : WeightSourceContract
{
    protected override IWeightSource Open(string folder, IReadOnlyList<ContractTensor> tensors) =>
        OpenBytes(folder, TorchArchiveBytes.Build(tensors)).Source;

    [Fact]
    public void It_is_chosen_by_what_the_file_holds()
    {
        using TempDirectory folder = new();
        using OpenedSource opened = OpenBytes(folder.Path, TorchArchiveBytes.Build([ContractTensor.Of("w", ElementType.BF16, 1, 4)]));
        Assert.Equal(("torch archive", "the file holds the tensors itself"), (opened.Source.Kind, opened.Choice));
    }

    [Fact]
    public void A_record_that_was_damaged_after_it_was_opened_is_never_read_as_weights()
    {
        using TempDirectory folder = new();
        ContractTensor tensor = ContractTensor.Of("w", ElementType.BF16, 1, 64);
        byte[] bytes = TorchArchiveBytes.Build([tensor]);
        int place = bytes.AsSpan().IndexOf(tensor.Memory);
        bytes[place + 100] ^= 1;
        using OpenedSource opened = OpenBytes(folder.Path, bytes);
        CheckpointException failure = Assert.Throws<CheckpointException>(() => ReadRange(opened.Source, opened.Source.Tensors[0], 0, 2));
        Assert.Equal(
            (
                CheckpointError.HandlesMalformed,
                $"{folder.File("w.pt")} is damaged: record 0 does not have the CRC that the zip directory says"
            ),
            (failure.Error, failure.Message)
        );
    }

    [Fact]
    public void What_was_parsed_is_what_is_read_though_the_path_gets_another_file()
    {
        using TempDirectory folder = new();
        ContractTensor tensor = ContractTensor.Of("w", ElementType.BF16, 1, 64);
        using OpenedSource opened = OpenBytes(folder.Path, TorchArchiveBytes.Build([tensor]));
        File.Delete(folder.File("w.pt"));
        File.WriteAllText(folder.File("w.pt"), "something else");
        Assert.Equal(tensor.Memory, ReadRange(opened.Source, opened.Source.Tensors[0], 0, 128));
    }

    internal static OpenedSource OpenBytes(string folder, byte[] bytes)
    {
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string path = Path.Combine(folder, "w.pt");
        File.WriteAllBytes(path, bytes);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return WeightSources.Open(new SyncRequest { ModelDirectory = "", Handles = path }, CancellationToken.None);
    }
}
