namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>
/// The bytes of one file: what a reader sees now, and what a crash may leave. Since the last flush every sector of 512 bytes may hold any
/// value it had, each for itself, and the length may be any it had: the file system writes pages when it likes.
/// Space that was reserved and never written takes no memory.
/// </summary>
internal sealed class CrashContent
{
    internal const int SectorBytes = 512;

    private readonly SortedDictionary<int, List<byte[]>> dirty = [];

    /// <summary>Sectors of a failed flush: the kernel calls them clean, so no later flush writes them, unless they are written again.</summary>
    private readonly SortedDictionary<int, List<byte[]>> doubtful = [];

    private readonly List<int> lengths = [];
    private byte[] data;
    private int used;
    private bool isShared = true;
    private CrashBytes durable;

    internal CrashContent(CrashBytes frozen)
    {
        durable = frozen;
        data = frozen.Data;
        used = frozen.Used;
        Length = frozen.Length;
    }

    internal int Length { get; private set; }

    /// <summary>The choices that a crash has: one for the length, one for each sector that is not settled.</summary>
    internal IReadOnlyList<int> Choices =>
        lengths.Count + dirty.Count + doubtful.Count == 0 ? [] : [lengths.Count + 1, .. Unsettled().Select(row => row.Values.Count + 1)];

    /// <summary>All bytes in one piece, for a mapping.</summary>
    internal ReadOnlySpan<byte> Whole()
    {
        if (data.Length < Length)
        {
            Own(Length);
        }

        return data.AsSpan(0, Length);
    }

    /// <summary>Reads inside the file.</summary>
    internal void Read(Span<byte> buffer, int offset)
    {
        int written = Math.Clamp(used - offset, 0, buffer.Length);
        data.AsSpan(Math.Min(offset, used), written).CopyTo(buffer);
        buffer[written..].Clear();
    }

    internal void Write(ReadOnlySpan<byte> bytes, int offset)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        int end = checked(offset + bytes.Length);
        Own(end);
        bytes.CopyTo(data.AsSpan(offset));
        used = Math.Max(used, end);
        Lengthen(end);
        NoteSectors(offset, end);
    }

    internal void SetLength(int length)
    {
        if (length >= Length)
        {
            Lengthen(length);
            return;
        }

        Length = length;
        lengths.Add(length);
        if (length < used)
        {
            Own(used);
            int end = used;
            data.AsSpan(length, end - length).Clear();
            NoteSectors(length, end);
            used = length;
        }
    }

    internal void Flush()
    {
        CrashBytes before = durable;
        if (doubtful.Count > 0)
        {
            byte[] settled = new byte[used];
            data.AsSpan(0, used).CopyTo(settled);
            foreach (int sector in doubtful.Keys.Where(sector => sector * SectorBytes < settled.Length))
            {
                Sector(before.Data, before.Used, sector)
                    .AsSpan(0, Math.Min(SectorBytes, settled.Length - sector * SectorBytes))
                    .CopyTo(settled.AsSpan(sector * SectorBytes));
            }

            durable = new CrashBytes(settled, used, Length);
        }
        else
        {
            // The next write makes a copy of its own.
            durable = new CrashBytes(data, used, Length);
            isShared = true;
        }

        dirty.Clear();
        lengths.Clear();
    }

    internal void FailFlush()
    {
        foreach ((int sector, List<byte[]> values) in dirty)
        {
            doubtful[sector] = values;
        }

        dirty.Clear();
    }

    /// <summary>What a crash leaves.</summary>
    /// <param name="choices">One number for each of <see cref="Choices"/>: 0 is the durable value, the last the newest.</param>
    internal CrashBytes Image(ReadOnlySpan<int> choices)
    {
        if (choices.IsEmpty)
        {
            return durable;
        }

        int length = choices[0] == 0 ? durable.Length : lengths[choices[0] - 1];
        int reach = Math.Max(durable.Used, Unsettled().Select(row => (row.Sector + 1) * SectorBytes).DefaultIfEmpty().Max());
        byte[] image = new byte[Math.Min(length, reach)];
        durable.Data.AsSpan(0, Math.Min(durable.Used, image.Length)).CopyTo(image);
        int next = 1;
        foreach ((int sector, List<byte[]> values) in Unsettled())
        {
            int choice = choices[next++];
            int room = Math.Min(SectorBytes, image.Length - sector * SectorBytes);
            if (choice > 0 && room > 0)
            {
                values[choice - 1].AsSpan(0, room).CopyTo(image.AsSpan(sector * SectorBytes));
            }
        }

        return new CrashBytes(image, image.Length, length);
    }

    private IEnumerable<(int Sector, List<byte[]> Values)> Unsettled() =>
        dirty.Concat(doubtful).OrderBy(row => row.Key).Select(row => (row.Key, row.Value));

    private void Lengthen(int length)
    {
        if (length > Length)
        {
            Length = length;
            lengths.Add(length);
        }
    }

    /// <summary>Makes the array our own, and long enough. What is behind the used bytes is zeros.</summary>
    private void Own(int capacity)
    {
        if (isShared || capacity > data.Length)
        {
            byte[] own = new byte[Math.Max(capacity, isShared ? used : data.Length * 2)];
            data.AsSpan(0, used).CopyTo(own);
            data = own;
            isShared = false;
        }
    }

    private void NoteSectors(int begin, int end)
    {
        for (int sector = begin / SectorBytes; sector * SectorBytes < end; sector++)
        {
            byte[] value = Sector(data, used, sector);
            if (!dirty.TryGetValue(sector, out List<byte[]>? values))
            {
                dirty[sector] = values = doubtful.Remove(sector, out List<byte[]>? lost) ? lost : [];
            }

            if (values.Count == 0 || !values[^1].AsSpan().SequenceEqual(value))
            {
                values.Add(value);
            }
        }
    }

    private static byte[] Sector(byte[] bytes, int used, int sector)
    {
        byte[] value = new byte[SectorBytes];
        int first = sector * SectorBytes;
        if (first < used)
        {
            bytes.AsSpan(first, Math.Min(SectorBytes, used - first)).CopyTo(value);
        }

        return value;
    }
}
