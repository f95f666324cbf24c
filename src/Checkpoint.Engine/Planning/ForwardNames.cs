using System.Globalization;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// Takes a name on disk forward through the rules of a family, as vLLM's loader does; never the other way round, which is ambiguous.
/// </summary>
internal sealed class ForwardNames(FamilyRules family, LiveIndex live)
{
    // An expert's matrices on disk, and where they stand: gate rows, then up rows, in w13; down in w2.
    private static readonly (string Live, string[] Together)[] ExpertTensors =
    [
        ("w13_weight", ["gate_proj", "up_proj"]),
        ("w2_weight", ["down_proj"]),
    ];

    // vLLM 0.32 put a module between; both spellings are in use.
    private static readonly string[] ExpertHolders = ["routed_experts.", ""];

    /// <summary>The place that exists, or null.</summary>
    internal LivePlace? Find(string diskName)
    {
        foreach (LivePlace place in Candidates(diskName))
        {
            if (place.Found.Count > 0)
            {
                return place;
            }
        }

        return null;
    }

    /// <summary>
    /// The place that one would expect, for the message when there is none: the rewritten name before the unchanged one, under a
    /// component that the live names have, and merged where the family merges.
    /// </summary>
    internal LivePlace Expected(string diskName)
    {
        List<LivePlace> all = [.. Candidates(diskName)];
        all.Reverse();
        return all.Find(place => place.Slot != LiveSlot.Whole && live.HasTower(place.LiveName))
            ?? all.Find(place => live.HasTower(place.LiveName))
            ?? all[0];
    }

    /// <summary>The names it may have before merging: unchanged, then with each prefix rule that applies.</summary>
    internal IEnumerable<string> Spellings(string diskName)
    {
        yield return diskName;
        foreach (PrefixRule rule in family.Prefixes)
        {
            if (diskName.StartsWith(rule.Disk, StringComparison.Ordinal))
            {
                yield return string.Concat(rule.Live, diskName.AsSpan(rule.Disk.Length));
            }
        }
    }

    private IEnumerable<LivePlace> Candidates(string diskName)
    {
        foreach (string spelling in Spellings(diskName))
        {
            string rule = spelling == diskName ? "same name" : "prefix";
            TensorName name = TensorName.Parse(spelling);
            LiveSlot slot = family.Vocabularies.Contains(name.Module, StringComparer.Ordinal) ? LiveSlot.Vocabulary : LiveSlot.Whole;
            yield return new LivePlace(spelling, live.Find(spelling), rule, slot);
            foreach (MergeRule merge in family.Merges)
            {
                for (int part = 0; part < merge.Parts.Count; part++)
                {
                    if (merge.Parts[part] == name.Module && name.Parameter.Length > 0)
                    {
                        string merged = name.With(merge.Live);
                        yield return new LivePlace(merged, live.Find(merged), merge.Name, LiveSlot.Merged)
                        {
                            Together = merge.Parts,
                            Part = part,
                        };
                    }
                }
            }

            foreach (LivePlace expert in family.StacksExperts ? Experts(name) : [])
            {
                yield return expert;
            }
        }
    }

    private IEnumerable<LivePlace> Experts(TensorName name)
    {
        // "model.layers.0.mlp.experts." + "17" + "."
        const string Marker = ".experts.";
        int marker = name.Parent.LastIndexOf(Marker, StringComparison.Ordinal);
        if (
            marker < 0
            || name.Parameter != ".weight"
            || !long.TryParse(
                name.Parent.AsSpan()[(marker + Marker.Length)..].TrimEnd('.'),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out long expert
            )
        )
        {
            yield break;
        }

        string layer = name.Parent[..(marker + Marker.Length)];
        foreach ((string tensor, string[] together) in ExpertTensors)
        {
            int part = Array.IndexOf(together, name.Module);
            foreach (string holder in part < 0 ? [] : ExpertHolders)
            {
                string stacked = $"{layer}{holder}{tensor}";
                yield return new LivePlace(stacked, live.Find(stacked), $"expert {tensor}", LiveSlot.Expert)
                {
                    Together = together,
                    Part = part,
                    Expert = expert,
                };
            }
        }
    }
}
