using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
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

    [Fact]
    public void One_text_in_the_memo_does_not_make_a_small_file_large()
    {
        string text = $"X\u0000\u0001\u0000\u0000{new string('x', 256)}q\u0001X\u0006\u0000\u0000\u0000latin1q\u0002";
        string encode = "h\u0000h\u0001h\u0002\u0086R";
        string pickle = $"\u0080\u0002c_codecs\nencode\nq\u0000{text}{string.Concat(Enumerable.Repeat(encode, 500))}.";
        Assert.Equal("has a pickle with one text encoded again and again", Failure(pickle));
    }

    [Fact]
    public void A_name_in_a_name_does_not_grow_without_end()
    {
        string key = $"X\u0000\u0002\u0000\u0000{new string('k', 512)}q\u0000";
        string pickle = $"\u0080\u0002}}{key}}}h\u0000}}h\u0000Nsss.";
        Assert.StartsWith($"has a name in \"{new string('k', 400)}", Failure(pickle), StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_beyond_32_bits_are_read_and_a_tensor_that_repeats_its_bytes_is_not_digested()
    {
        // torch.zeros(1).bfloat16().expand(1 << 36): 16 elements in the file, 128 GiB in contiguous order.
        const string Size = "\u008a\u0005\u0000\u0000\u0000\u0000\u0010";
        string storage =
            "(X\u0007\u0000\u0000\u0000storagectorch\nBFloat16Storage\nX\u0001\u0000\u0000\u00000X\u0003\u0000\u0000\u0000cpuK\u0010tQ";
        string tensor =
            $"ctorch._utils\n_rebuild_tensor_v2\n({storage}K\u0000{Size}\u0085K\u0000\u0085\u0089ccollections\nOrderedDict\n)RtR";
        using TempDirectory folder = new();
        string path = folder.File("m.pt");
        File.WriteAllBytes(
            path,
            Archive.TorchArchiveBytes.BuildWithPickle($"\u0080\u0002}}X\u0001\u0000\u0000\u0000w{tensor}s.", ("0", new byte[32]))
        );

        Assert.Equal([1L << 36], HandlesDescription.Describe(path, null, digest: false, CancellationToken.None).Tensors[0].Shape);
        CheckpointException failure = Assert.Throws<CheckpointException>(() =>
            HandlesDescription.Describe(path, null, digest: true, CancellationToken.None)
        );
        Assert.Equal(
            $"{path} has tensors of 137438953472 bytes in 32 bytes of memory: they repeat the same bytes, and are not digested",
            failure.Message
        );
    }

    [Fact]
    public void A_message_that_quotes_a_file_moves_no_cursor_and_ends() =>
        Assert.Matches("^speaks of a[?]\\[2J[.]b{400,}…$", Failure($"\u0080\u0002ca\u001b[2J\n{new string('b', 9000)}\n."));

    /// <summary>The message without the path.</summary>
    private static string Failure(string pickle)
    {
        using TempDirectory folder = new();
        string path = folder.File("m.pt");
        File.WriteAllBytes(path, Archive.TorchArchiveBytes.BuildWithPickle(pickle));
        using IDiskFile file = Disk.Instance.Open(path);
        CheckpointException failure = Assert.Throws<CheckpointException>(() => HandlesFile.Parse(file, CancellationToken.None));
        Assert.Equal(CheckpointError.HandlesMalformed, failure.Error);
        Assert.InRange(failure.Message.Length, 1, 1001);
        return failure.Message[(path.Length + 1)..];
    }

    private static void Holds(HandleTensor tensor) =>
        Assert.True(tensor.Allocation is null || tensor.AllocationOffset + tensor.Layout.Extent <= tensor.Allocation.Size, tensor.Name);
}
