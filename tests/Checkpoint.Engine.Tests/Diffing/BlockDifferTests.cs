using System.Runtime.InteropServices;
using ApolloCheckpoint.Engine.Diffing;
using CsCheck;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Diffing;

public sealed class BlockDifferTests
{
    private static readonly Gen<(int Length, int BlockSize, int PartLength, int[] Changes, int Seed)> Cases = Gen.Select(
        Gen.Int[1, 3000],
        Gen.Int[1, 700],
        Gen.Int[1, 900],
        Gen.Int[0, 2999].Array[0, 12],
        Gen.Int
    );

    [Fact]
    public void Parts_in_any_order_count_what_a_loop_over_the_whole_counts()
    {
        Cases.Sample(made =>
        {
            (byte[] before, byte[] after) = Pair(made.Length, made.Changes);
            BlockTally tally = new(made.BlockSize, made.Length);
            int[] starts =
            [
                .. Enumerable.Range(0, (made.Length + made.PartLength - 1) / made.PartLength).Select(part => part * made.PartLength),
            ];
            new Random(made.Seed).Shuffle(starts);
            foreach (int start in starts)
            {
                int length = Math.Min(made.PartLength, made.Length - start);
                tally.Add(Blocks(before.AsSpan(start, length), after.AsSpan(start, length), start, made.BlockSize));
            }

            Assert.Equal(Naive(before, after, made.BlockSize), (tally.TotalBlocks, tally.ChangedBlocks, tally.ChangedBytes));
        });
    }

    [Fact]
    public void A_part_names_the_blocks_at_its_borders_and_counts_the_others()
    {
        byte[] before = new byte[1000];
        byte[] after = new byte[1000];
        after[0] = after[500] = after[999] = 1;
        Assert.Equal(new BlockDiff(1, 20, 30), Blocks(before, after, 2050, 100));
        Assert.Equal(new BlockDiff(1, null, 20), Blocks(before.AsSpan(0, 999), after.AsSpan(1), 0, 49));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Changed_units_are_counted_at_every_length(int unitBytes)
    {
        Random random = new(unitBytes);
        for (int units = 0; units < 200; units++)
        {
            byte[] before = new byte[units * unitBytes];
            random.NextBytes(before);
            byte[] after = (byte[])before.Clone();
            int expected = 0;
            for (int unit = 0; unit < units; unit++)
            {
                if (random.Next(3) == 0)
                {
                    after[unit * unitBytes + random.Next(unitBytes)] ^= 0x10;
                    expected++;
                }
            }

            Assert.Equal(expected, BlockDiffer.CountChanged(before, after, unitBytes));
            List<(int, int)> changed = [];
            // Pages that end inside a unit: a tensor may begin at any byte of its file.
            DirtyPages.Find(before, after, 4096 - 77, changed);
            Assert.Equal(expected, BlockDiffer.CountChanged(before, after, unitBytes, CollectionsMarshal.AsSpan(changed)));
        }
    }

    /// <summary>With pages that lie anywhere: where the tensor begins in its file is of no matter.</summary>
    private static BlockDiff Blocks(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, long offset, int blockSize)
    {
        List<(int, int)> changed = [];
        DirtyPages.Find(before, after, offset + 3000, changed);
        return BlockDiffer.Blocks(before, after, CollectionsMarshal.AsSpan(changed), offset, blockSize);
    }

    private static (byte[] Before, byte[] After) Pair(int length, int[] changes)
    {
        byte[] before = new byte[length];
        byte[] after = new byte[length];
        foreach (int change in changes)
        {
            after[change % length] = 1;
        }

        return (before, after);
    }

    private static (long Total, long Changed, long Bytes) Naive(byte[] before, byte[] after, int blockSize)
    {
        (long total, long changed, long bytes) = (0, 0, 0);
        for (int start = 0; start < before.Length; start += blockSize)
        {
            int length = Math.Min(blockSize, before.Length - start);
            bool differs = !before.AsSpan(start, length).SequenceEqual(after.AsSpan(start, length));
            total++;
            changed += differs ? 1 : 0;
            bytes += differs ? length : 0;
        }

        return (total, changed, bytes);
    }
}
