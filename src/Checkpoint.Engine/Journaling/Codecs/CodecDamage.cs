using System.Diagnostics.CodeAnalysis;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>How a decoder refuses a payload. The caller knows file and chunk, and adds them.</summary>
internal static class CodecDamage
{
    /// <summary>Refuses.</summary>
    /// <param name="what">What is wrong, as the end of "the payload of a chunk is damaged: ".</param>
    /// <exception cref="CheckpointException">Always: JournalDamaged.</exception>
    [DoesNotReturn]
    public static void Throw(string what) => throw Because(what);

    /// <summary>The refusal, to be thrown where the compiler must see it.</summary>
    public static CheckpointException Because(string what, Exception? inner = null) =>
        new(
            CheckpointError.JournalDamaged,
            $"the payload of a chunk is damaged: {what}",
            "Fetch this delta again from the mirror, or restore a version on the near side of it.",
            inner
        );
}
