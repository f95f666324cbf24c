namespace ApolloCheckpoint.Engine.Verification;

/// <summary>What a verification found. It is only made when everything was looked at.</summary>
internal sealed record VerifyReport
{
    /// <summary>The version that the files hold.</summary>
    internal required long FilesVersion { get; init; }

    /// <summary>Shards looked at.</summary>
    internal required int Shards { get; init; }

    /// <summary>Bytes of the shards, read and compared.</summary>
    internal required long Bytes { get; init; }

    /// <summary>Deltas looked at.</summary>
    internal required int Deltas { get; init; }

    /// <summary>Everything that is wrong, by file and offset; empty when nothing is.</summary>
    internal required IReadOnlyList<VerifyDamage> Damage { get; init; }

    /// <summary>What recovery did before, a sentence each.</summary>
    internal IReadOnlyList<string> Recovered { get; init; } = [];

    /// <summary>Throws when something is wrong, naming the first places.</summary>
    /// <exception cref="CheckpointException">VerificationFailed.</exception>
    internal void RequireGood(string modelPath)
    {
        if (Damage.Count > 0)
        {
            throw new CheckpointException(
                CheckpointError.VerificationFailed,
                $"{modelPath} is damaged in {Damage.Count} {(Damage.Count == 1 ? "place" : "places")}",
                "to take damaged bytes from the live model: sync --repair; from a mirror: restore --from; "
                    + "if the files were changed on purpose: adopt"
            )
            {
                Details = [.. Damage.Take(10).Select(damage => (damage.Kind, damage.Text))],
            };
        }
    }
}
