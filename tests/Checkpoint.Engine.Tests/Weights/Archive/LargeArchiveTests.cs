using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Archive;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Archive;

/// <summary>An archive above 4 GiB as torch writes it: zip64 extras and end record, zeros in the local headers. Mostly a hole in the file.</summary>
public sealed class LargeArchiveTests
{
    private const long HoleBytes = 5L << 30;
    private static readonly ContractTensor Tensor = ContractTensor.Of("w", ElementType.BF16, 1, 8);

    [Fact]
    public void A_record_behind_4_GiB_is_found_and_read()
    {
        using TempDirectory folder = new();
        using (FileStream file = File.Create(folder.File("w.pt")))
        {
            WriteArchive(file);
        }

        using IDiskFile opened = Disk.Instance.Open(folder.File("w.pt"));
        HandlesFile handles = HandlesFile.Parse(opened, CancellationToken.None);
        using TorchArchiveSource source = new(handles, opened);
        byte[] bytes = new byte[16];
        source.Read(source.Tensors[0], 0, bytes);
        Assert.Equal(Tensor.Memory, bytes);
        Assert.True(handles.Allocations[0].FileOffset > HoleBytes);
    }

    private static void WriteArchive(FileStream file)
    {
        using MemoryStream directory = new();
        byte[] pickle = TorchArchiveBytes.Pickle([Tensor]);
        WriteEntry(file, directory, "a/data.pkl", pickle.Length);
        file.Write(pickle);
        WriteEntry(file, directory, "a/data/hole", HoleBytes);
        file.Seek(HoleBytes, SeekOrigin.Current);
        WriteEntry(file, directory, "a/data/0", Tensor.Memory.Length);
        file.Write(Tensor.Memory);
        long begin = file.Position;
        file.Write(directory.ToArray());
        long end64 = file.Position;
        using BinaryWriter writer = new(file, System.Text.Encoding.ASCII, leaveOpen: true);
        writer.Write(0x06064b50);
        writer.Write(44L);
        writer.Write([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        Array.ForEach([3L, 3L, directory.Length, begin], writer.Write);
        writer.Write(0x07064b50);
        writer.Write(0);
        writer.Write(end64);
        writer.Write(1);
        writer.Write(0x06054b50);
        writer.Write(0);
        writer.Write(0x00030003);
        writer.Write((int)directory.Length);
        writer.Write(uint.MaxValue);
        writer.Write((short)0);
    }

    /// <summary>Headers of one entry; what does not fit into 32 bits stands in an extra field of id 1, in the order length, stored, offset.</summary>
    private static void WriteEntry(FileStream file, MemoryStream directory, string name, long length)
    {
        long offset = file.Position;
        List<long> wide = [];
        uint size = length < uint.MaxValue ? (uint)length : uint.MaxValue;
        if (size == uint.MaxValue)
        {
            wide.AddRange([length, length]);
        }

        if (offset >= uint.MaxValue)
        {
            wide.Add(offset);
        }

        using BinaryWriter central = new(directory, System.Text.Encoding.ASCII, leaveOpen: true);
        central.Write(0x02014b50);
        central.Write([45, 0, 45, 0, 8, 8, 0, 0, 0, 0, 0, 0]);
        Array.ForEach([0u, size, size], central.Write);
        central.Write((short)name.Length);
        central.Write((short)(wide.Count == 0 ? 0 : 4 + 8 * wide.Count));
        central.Write(new byte[10]);
        central.Write(offset < uint.MaxValue ? (uint)offset : uint.MaxValue);
        central.Write(name.ToCharArray());
        if (wide.Count > 0)
        {
            central.Write((short)1);
            central.Write((short)(8 * wide.Count));
            wide.ForEach(central.Write);
        }

        using BinaryWriter local = new(file, System.Text.Encoding.ASCII, leaveOpen: true);
        local.Write(0x04034b50);
        local.Write([45, 0, 8, 8, 0, 0, 0, 0, 0, 0]);
        local.Write(new byte[12]);
        local.Write((short)name.Length);
        local.Write((short)0);
        local.Write(name.ToCharArray());
    }
}
