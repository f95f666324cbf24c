using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>
/// Whether a producer's weights may become the next version. One that did not load the newest version would silently undo what is in
/// the journal: vLLM restarted from files that were not folded, or from a hub.
/// </summary>
internal static class ProducerRule
{
    /// <summary>Checks it against what the directory remembers.</summary>
    /// <param name="session">The opened directory.</param>
    /// <param name="producer">Who owns the live weights.</param>
    /// <param name="accept">The user insists.</param>
    /// <returns>What the user should know, a sentence, or null.</returns>
    /// <exception cref="CheckpointException">ProducerStale.</exception>
    internal static string? Check(JournalSession session, ProducerInfo producer, bool accept)
    {
        if (session.Newest == 0 || IsRemembered(session.State, producer))
        {
            return null;
        }

        if (producer.LoadedRoot is null && !session.State.Restored)
        {
            return "the producer does not say which version it loaded: its origin is unknown";
        }

        bool isNewest = string.Equals(producer.LoadedRoot, session.Root.ToString(), StringComparison.OrdinalIgnoreCase);
        if (isNewest || accept)
        {
            return null;
        }

        throw new CheckpointException(
            CheckpointError.ProducerStale,
            session.State.Restored
                ? $"version {session.Newest} was restored, and this producer did not load it: its weights would undo the restore"
                : $"this producer did not load version {session.Newest}: its weights would undo what was synced since",
            "restart the producer from the model directory (apollo-checkpoint fold first); to take its weights all the same: --accept-producer"
        );
    }

    /// <summary>As state.json remembers it.</summary>
    internal static ProducerRecord Record(ProducerInfo producer) =>
        new(producer.Kind, producer.Pid, producer.StartTicks, producer.BootId, producer.LoadedRoot);

    /// <summary>The process that made the newest version knows it, unless it was replaced by a restore.</summary>
    private static bool IsRemembered(ModelState state, ProducerInfo producer) =>
        !state.Restored && state.Producer is { } known && known.IsSameProcessAs(Record(producer));
}
