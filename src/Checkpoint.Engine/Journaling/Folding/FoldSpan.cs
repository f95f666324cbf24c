using System.Diagnostics;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Folding;

/// <summary>The span of one shard that is brought up to date: which, how, and how much was written.</summary>
internal static class FoldSpan
{
    /// <summary>Runs the fold of a shard inside its span.</summary>
    internal static FoldedShard Around(Shard shard, Func<Shard, FoldedShard> fold)
    {
        using Activity? span = EngineActivity.Source.StartActivity("fold.shard");
        FoldedShard folded = fold(shard);
        span?.SetTag("apollo.shard", shard.FileName);
        span?.SetTag("apollo.fold.way", folded.Way == FoldWay.Patch ? "patch" : "replace");
        span?.SetTag("apollo.disk.written", folded.WrittenBytes);
        return folded;
    }
}
