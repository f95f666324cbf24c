using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Handles;

/// <summary>Spoilt copies of good files: whatever byte is changed, the end is handles that hold, or one of our errors.</summary>
public sealed class TorchMutationTests
{
    private const int Rounds = 150;

    [Theory]
    [InlineData("zip_plain.pt")]
    [InlineData("cuda_protocol4.pt")]
    [InlineData("state_module.pt")]
    [InlineData("state_legacy.pt")]
    [InlineData("state_nested.pt")]
    public void Any_changed_bytes_give_handles_or_our_error(string name)
    {
        using TempDirectory folder = TempDirectory.InMemory();
        byte[] good = File.ReadAllBytes(TorchFixtures.PathOf("good", name));
        Random random = new(7);
        int refused = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] bytes = [.. good];
            for (int i = 0; i <= round % 3; i++)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            File.WriteAllBytes(folder.File("m.pt"), bytes);
            using IDiskFile file = Disk.Instance.Open(folder.File("m.pt"));
            try
            {
                HandlesFile handles = HandlesFile.Parse(file, CancellationToken.None);
                Assert.All(handles.Tensors, Holds);
            }
            catch (CheckpointException e)
            {
                Assert.Equal(CheckpointError.HandlesMalformed, e.Error);
                refused++;
            }
        }

        Assert.InRange(refused, 1, Rounds);
    }

    [Fact]
    public void Handles_of_the_old_programs_tests_need_python_and_trust()
    {
        using TempDirectory folder = new();
        // {"w": functools.partial}, protocol 2.
        byte[] bytes = Archive.TorchArchiveBytes.BuildWithPickle("\u0080\u0002}X\u0001\u0000\u0000\u0000wcfunctools\npartial\ns.");
        File.WriteAllBytes(folder.File("m.pt"), bytes);
        using IDiskFile file = Disk.Instance.Open(folder.File("m.pt"));
        CheckpointException failure = Assert.Throws<CheckpointException>(() => HandlesFile.Parse(file, CancellationToken.None));
        Assert.Equal(
            (
                CheckpointError.SourceUnsupported,
                $"{folder.File("m.pt")} holds calls of functools.partial in place of handles; only executing them would tell what they are",
                "if you wrote this file yourself: --source python --trust-pickle"
            ),
            (failure.Error, failure.Message, failure.Next)
        );
    }

    private static void Holds(HandleTensor tensor) =>
        Assert.True(tensor.Allocation is null || tensor.AllocationOffset + tensor.Layout.Extent <= tensor.Allocation.Size, tensor.Name);
}
