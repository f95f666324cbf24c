using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling;

internal sealed partial class JournalSession
{
    /// <summary>Makes the next version of what was appended.</summary>
    /// <param name="writer">From <see cref="BeginDelta"/>; holds at least one chunk.</param>
    /// <param name="facts">What the caller knows of the version.</param>
    /// <returns>The header that is now in the journal.</returns>
    /// <exception cref="CheckpointException">
    /// ShardForeign: a chunk was coded from bytes that are not the newest version's; nothing happened. CommitUnknown: see
    /// <see cref="DeltaWriter.Commit"/>; the session must be given up. 15xx: nothing happened.
    /// </exception>
    internal DeltaHeader Commit(DeltaWriter writer, VersionFacts facts)
    {
        Digest128[] after = [.. newestDigests];
        foreach (DeltaChunk entry in writer.Entries())
        {
            if (after[entry.Ordinal] != entry.DigestBefore)
            {
                throw ForeignBytes.At(Layout[entry.Ordinal]);
            }

            after[entry.Ordinal] = entry.DigestAfter;
        }

        DeltaHeader header = new()
        {
            Lineage = Lineage,
            ModelIdentity = Layout.Identity,
            Version = Newest + 1,
            ParentRoot = Root,
            Root = ModelRoot.Of(after),
            Step = facts.Step,
            TimeNs = Math.Max(Now(), Journal.Last?.TimeNs ?? State.TimeNs),
            Label = facts.Label,
            ChangedUnits = facts.ChangedUnits,
            ComparedUnits = facts.ComparedUnits,
            Producer = facts.ProducerText,
            ProducerPid = facts.Producer?.Pid,
            ProducerStartTicks = facts.Producer?.StartTicks,
        };
        writer.Commit(header);
        Journal.Add(header);
        Chain.Add(Journal.OpenDelta(header.Version));
        after.CopyTo(newestDigests, 0);
        Newest = header.Version;
        Root = header.Root;
        freshPages = writer.Pages;
        State = Describe(State) with { Producer = facts.Producer ?? State.Producer, Restored = facts.Producer is null };
        return header;
    }

    /// <summary>
    /// Remembers the producer whose weights equal the newest version, when nothing changed and so no version was made.
    /// </summary>
    internal void Remember(ProducerRecord producer) => State = State with { Producer = producer, Restored = false };

    /// <summary>
    /// Makes state.json durable, unless it says that already. It is a hint: a crash before this loses nothing.
    /// </summary>
    internal void SaveState()
    {
        State = Describe(State);
        if (State != savedState)
        {
            Reserve.Run(Disk, Paths, () => State.Save(Disk, Paths.State));
            savedState = State;
        }
    }

    /// <summary>
    /// Removes deltas from the old end: never one that a shard has not passed durably, never the newest (invariant 8). What is oldest is
    /// durable in state.json before the first file goes, so that a crash leaves no gap that looks like damage.
    /// </summary>
    /// <param name="oldest">The first version to keep.</param>
    /// <returns>The versions that are gone.</returns>
    internal IReadOnlyList<long> Prune(long oldest)
    {
        long firstNeeded = Table.Shards.Min(shard => shard.Version) + 1;
        IReadOnlyList<long> gone = Journal.ForgetBefore(Math.Min(oldest, firstNeeded));
        if (gone.Count > 0)
        {
            SaveState();
            foreach (long version in gone)
            {
                Disk.Delete(Paths.Delta(version));
            }

            Disk.FlushFolder(Paths.Journal);
        }

        return gone;
    }

    private ModelState Describe(ModelState? before)
    {
        DeltaHeader? last = Journal.Last;
        string lineage = Lineage.ToString();
        // Oldest and producer of another history say nothing of this one.
        ModelState? same = before?.Lineage == lineage ? before : null;
        return new ModelState
        {
            Lineage = lineage,
            Newest = Newest,
            Oldest = Journal.First?.Version ?? Newest + 1,
            FilesVersion = FilesVersion,
            Root = Root.ToString(),
            Step = last?.Step,
            Label = last?.Label.ToString() ?? "",
            TimeNs = last?.TimeNs ?? same?.TimeNs ?? 0,
            Producer = same?.Producer,
            Restored = same?.Restored ?? false,
        };
    }

    private long Now() => (Options.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
}
