namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>
/// The bytes of one file: what a reader sees now, and what a crash may leave. Since the last flush every sector of 512 bytes may hold any
/// value it had, each for itself, and the length may be any it had: the file system writes pages when it likes.
/// </summary>
internal sealed class CrashContent
{
    internal const int SectorBytes = 512;

    private readonly SortedDictionary<int, List<byte[]>> dirty = [];

    /// <summary>Sectors of a failed flush: the kernel calls them clean, so no later flush writes them, unless they are written again.</summary>
    private readonly SortedDictionary<int, List<byte[]>> doubtful = [];

    private readonly List<int> lengths = [];
    private byte[] data;
    private byte[] durable;
    private bool isShared;

    internal CrashContent(byte[] frozen)
    {
        data = frozen;
        durable = frozen;
        Length = frozen.Length;
        isShared = true;
    }

    internal int Length { get; private set; }

    /// <summary>The bytes a reader sees; valid until the next change of the length.</summary>
    internal ReadOnlySpan<byte> Current => data.AsSpan(0, Length);

    /// <summary>The choices that a crash has: one for the length, one for each sector that is not settled.</summary>
    internal IReadOnlyList<int> Choices
    {
        get
        {
            if (lengths.Count + dirty.Count + doubtful.Count == 0)
            {
                return [];
            }

            return [lengths.Count + 1, .. Unsettled().Select(row => row.Values.Count + 1)];
        }
    }

    internal void Write(ReadOnlySpan<byte> bytes, int offset)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        int end = checked(offset + bytes.Length);
        Grow(Math.Max(Length, end));
        bytes.CopyTo(data.AsSpan(offset));
        NoteSectors(offset, end);
    }

    internal void SetLength(int length)
    {
        if (length < Length)
        {
            Own(Length);
            data.AsSpan(length, Length - length).Clear();
            int old = Length;
            Length = length;
            lengths.Add(length);
            NoteSectors(length, old);
        }
        else if (length > Length)
        {
            Grow(length);
        }
    }

    internal void Flush()
    {
        byte[] next = Current.ToArray();
        foreach (int sector in doubtful.Keys.Where(sector => sector * SectorBytes < next.Length))
        {
            Span<byte> room = next.AsSpan(sector * SectorBytes);
            DurableSector(sector).AsSpan(0, Math.Min(SectorBytes, room.Length)).CopyTo(room);
        }

        durable = next;
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
    internal byte[] Image(ReadOnlySpan<int> choices)
    {
        if (choices.IsEmpty)
        {
            return durable;
        }

        byte[] image = new byte[choices[0] == 0 ? durable.Length : lengths[choices[0] - 1]];
        durable.AsSpan(0, Math.Min(durable.Length, image.Length)).CopyTo(image);
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

        return image;
    }

    private IEnumerable<(int Sector, List<byte[]> Values)> Unsettled() =>
        dirty.Concat(doubtful).OrderBy(row => row.Key).Select(row => (row.Key, row.Value));

    private void Grow(int length)
    {
        Own(length);
        if (length > Length)
        {
            Length = length;
            lengths.Add(length);
        }
    }

    private void Own(int capacity)
    {
        if (isShared || capacity > data.Length)
        {
            byte[] own = new byte[Math.Max(capacity, isShared ? Length : Length * 2)];
            Current.CopyTo(own);
            data = own;
            isShared = false;
        }
    }

    private void NoteSectors(int begin, int end)
    {
        for (int sector = begin / SectorBytes; sector * SectorBytes < end; sector++)
        {
            byte[] value = new byte[SectorBytes];
            int first = sector * SectorBytes;
            data.AsSpan(first, Math.Min(SectorBytes, Math.Max(0, data.Length - first))).CopyTo(value);
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

    private byte[] DurableSector(int sector)
    {
        byte[] value = new byte[SectorBytes];
        int first = sector * SectorBytes;
        if (first < durable.Length)
        {
            durable.AsSpan(first, Math.Min(SectorBytes, durable.Length - first)).CopyTo(value);
        }

        return value;
    }
}
