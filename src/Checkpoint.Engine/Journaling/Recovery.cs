using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling;

/// <summary>Understands what a directory was left as.</summary>
internal static class Recovery
{
    internal static OpenedModel Run(
        IDisk disk,
        ModelLayout layout,
        StatePaths paths,
        JournalOptions options,
        CancellationToken cancellation
    )
    {
        ModelState? state = ModelState.TryRead(disk, paths.State);
        Journal journal = Journal.Open(disk, paths, layout, state?.Oldest ?? 0);
        DigestTable? table = DigestTable.TryRead(disk, paths.Digests);
        if (table is not null)
        {
            return new OpenedModel
            {
                Journal = journal,
                Table = table,
                State = state,
            };
        }

        table = FirstVersion.Measure(disk, layout, FirstVersion.NewLineage(), 0, options, cancellation);
        return new OpenedModel
        {
            Journal = journal,
            Table = table,
            State = null,
            IsFirst = true,
            IsTableNew = true,
        };
    }
}
