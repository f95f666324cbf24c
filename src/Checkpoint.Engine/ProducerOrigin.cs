using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine;

/// <summary>
/// Keeps an older model from being saved over a newer one: a producer counts as the journal's own when it is the process of the last
/// sync, or when it loaded the newest version. Anything else is asked about.
/// </summary>
internal static class ProducerOrigin
{
    /// <summary>Judges a producer.</summary>
    /// <returns>A sentence for the report when its origin is unknown, else null.</returns>
    /// <exception cref="CheckpointException">ProducerStale, unless accepted.</exception>
    internal static string? Check(JournalSession session, ProducerRecord producer, bool isAccepted)
    {
        ModelState state = session.State;
        if (isAccepted || (session.Newest == 0 && producer.LoadedRoot is null))
        {
            return null;
        }

        string newest = ModelRoot.Text(session.Root);
        if (producer.LoadedRoot == newest)
        {
            return null;
        }

        bool isKnown = state.Producer is { } last && producer.IsSameProcessAs(last);
        if (state.Restored)
        {
            throw Stale(
                $"version {session.Newest} was made by a restore, and the running producer still holds the weights of before",
                "restart vLLM from the restored files"
            );
        }

        if (isKnown)
        {
            return null;
        }

        return producer.LoadedRoot is null
            ? "the producer does not say which version it loaded; its weights were taken as newer"
            : throw Stale(
                $"the producer (pid {producer.Pid}) did not load version {session.Newest}, the newest: it began from older or other files",
                "fold before vLLM starts (apollo-checkpoint fold), and restart it"
            );
    }

    /// <summary>What state.json remembers of a source's producer.</summary>
    internal static ProducerRecord Record(ProducerInfo producer) =>
        new(producer.Kind, producer.Pid, producer.StartTicks, producer.BootId, producer.LoadedRoot);

    private static CheckpointException Stale(string what, string mend) =>
        new(CheckpointError.ProducerStale, what, $"{mend}; or, if its weights are the ones to keep: --accept-producer");
}
