using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using CsCheck;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights;

/// <summary>What every weight source promises; each one's test class inherits it.</summary>
public abstract class WeightSourceContract : IDisposable
{
    private static readonly ContractTensor[] Plain =
    [
        ContractTensor.Of("model.a.weight", ElementType.BF16, 1, 37, 19),
        ContractTensor.Of("model.b.bias", ElementType.F32, 2, 129),
        ContractTensor.Of("model.empty", ElementType.BF16, 3, 0, 16),
        ContractTensor.Of("model.scalar", ElementType.F32, 4),
        ContractTensor.Of("model.bytes", ElementType.I8, 5, 3, 5, 7),
    ];

    private static readonly ContractTensor[] WithStrides =
    [
        .. Plain,
        ContractTensor.Strided("transposed", ElementType.BF16, 6, [10, 6], [1, 10]),
        ContractTensor.Strided("columns", ElementType.F32, 7, [8, 3], [9, 1]),
        ContractTensor.Strided("stepped", ElementType.BF16, 8, [5, 4, 3], [24, 6, 2]),
        ContractTensor.Strided("free stride", ElementType.BF16, 9, [1, 16], [999, 1]),
        ContractTensor.Strided("expanded", ElementType.BF16, 10, [6, 4], [0, 1]),
    ];

    private readonly TempDirectory folder = TempDirectory.InMemory();

    /// <summary>False for a source that knows contiguous tensors only.</summary>
    protected virtual bool KnowsStrides => true;

    private ContractTensor[] Published => KnowsStrides ? WithStrides : Plain;

    /// <summary>Publishes the tensors in a folder and opens the source on them.</summary>
    protected abstract IWeightSource Open(string folder, IReadOnlyList<ContractTensor> tensors);

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [SkippableFact]
    public void Every_tensor_is_listed_with_name_type_and_shape()
    {
        using IWeightSource source = Open(folder.Path, Published);
        Assert.Equal(
            Published.Select(tensor => $"{tensor.Name} {tensor.Type} [{string.Join(',', tensor.Shape)}]").Order(StringComparer.Ordinal),
            source.Tensors.Select(live => $"{live.Name} {live.Type} [{string.Join(',', live.Shape)}]").Order(StringComparer.Ordinal)
        );
    }

    [SkippableFact]
    public void Every_tensor_reads_whole_in_contiguous_order()
    {
        using IWeightSource source = Open(folder.Path, Published);
        foreach (ContractTensor tensor in Published)
        {
            Assert.Equal(tensor.Contiguous(), ReadRange(source, Find(source, tensor.Name), 0, tensor.Contiguous().Length));
        }
    }

    [SkippableFact]
    public void Any_range_equals_that_part_of_the_whole()
    {
        using IWeightSource source = Open(folder.Path, Published);
        Dictionary<string, byte[]> whole = Published.ToDictionary(tensor => tensor.Name, tensor => tensor.Contiguous());
        Gen.Select(Gen.Int[0, Published.Length - 1], Gen.Double.Unit, Gen.Double.Unit)
            .Sample(
                (index, from, to) =>
                {
                    byte[] expected = whole[Published[index].Name];
                    int start = (int)(Math.Min(from, to) * expected.Length);
                    int end = (int)(Math.Max(from, to) * expected.Length);
                    byte[] found = ReadRange(source, Find(source, Published[index].Name), start, end - start);
                    return found.AsSpan().SequenceEqual(expected.AsSpan(start, end - start));
                },
                iter: 500
            );
    }

    [SkippableFact]
    public void Many_threads_may_read_at_once()
    {
        using IWeightSource source = Open(folder.Path, Published);
        Parallel.For(
            0,
            200,
            i =>
            {
                ContractTensor tensor = Published[i % Published.Length];
                Assert.Equal(tensor.Contiguous(), ReadRange(source, Find(source, tensor.Name), 0, tensor.Contiguous().Length));
            }
        );
    }

    [SkippableFact]
    public void What_is_read_ahead_is_what_is_read()
    {
        using IWeightSource source = Open(folder.Path, Published);
        using IReadAhead? ahead = source.OpenReadAhead();
        ContractTensor? before = null;
        foreach (ContractTensor tensor in ahead is null ? [] : Published)
        {
            ahead?.Start(Find(source, tensor.Name), 0, tensor.Contiguous().Length);
            Assert.Equal(before?.Contiguous() ?? [], before is null ? [] : ahead?.Take().ToArray());
            before = tensor;
        }
    }

    [SkippableFact]
    public void A_range_that_leaves_the_tensor_is_our_own_defect()
    {
        using IWeightSource source = Open(folder.Path, Published);
        LiveTensor tensor = Find(source, "model.b.bias");
        Assert.Throws<ArgumentOutOfRangeException>(() => ReadRange(source, tensor, -1, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => ReadRange(source, tensor, tensor.ByteLength - 3, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => ReadRange(source, tensor, long.MaxValue, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => ReadRange(source, Find(source, "model.empty"), 0, 1));
    }

    [SkippableFact]
    public void Nothing_can_be_read_of_no_bytes_and_at_the_end()
    {
        using IWeightSource source = Open(folder.Path, Published);
        LiveTensor tensor = Find(source, "model.b.bias");
        Assert.Empty(ReadRange(source, Find(source, "model.empty"), 0, 0));
        Assert.Empty(ReadRange(source, tensor, tensor.ByteLength, 0));
    }

    [SkippableFact]
    public void It_may_be_disposed_twice()
    {
        IWeightSource source = Open(folder.Path, Published);
        source.Dispose();
        source.Dispose();
    }

    /// <summary>Reads a range into an array.</summary>
    protected static byte[] ReadRange(IWeightSource source, LiveTensor tensor, long byteOffset, int length)
    {
        byte[] bytes = new byte[length];
        source.Read(tensor, byteOffset, bytes);
        return bytes;
    }

    /// <summary>The live tensor of that name.</summary>
    protected static LiveTensor Find(IWeightSource source, string name) => source.Tensors.Single(tensor => tensor.Name == name);
}
