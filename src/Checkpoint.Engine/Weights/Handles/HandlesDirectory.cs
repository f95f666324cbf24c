using System.Text.Json;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Weights.Handles;

/// <summary>
/// A version 2 directory: <c>index.json</c> = <c>{"format":"apollo-handles-index","version":2,"ranks":["weights.rank0.json", ...]}</c>
/// and one JSON file a rank beside it.
/// </summary>
internal static class HandlesDirectory
{
    /// <summary>Name of the index.</summary>
    internal const string IndexName = "index.json";

    private const int MaxRanks = 4096;

    /// <summary>Reads the index and every rank.</summary>
    /// <exception cref="CheckpointException">HandlesNotFound, HandlesUnsafe, HandlesMalformed.</exception>
    internal static HandlesFile Read(string folder, FileRules rules, CancellationToken cancellation)
    {
        List<HandlesFile> ranks = [];
        foreach (string name in ReadIndex(folder, rules))
        {
            string path = Path.Combine(folder, name);
            using IDiskFile file =
                rules.TryOpen(path) ?? throw HandlesFile.Malformed(folder, $"has an {IndexName} that names {name}, which is not there");
            ranks.Add(HandlesJson.Read(file, cancellation));
        }

        return Join(folder, ranks);
    }

    private static List<string> ReadIndex(string folder, FileRules rules)
    {
        string path = Path.Combine(folder, IndexName);
        using IDiskFile file = rules.TryOpen(path) ?? throw HandlesFile.NotFound(path);
        using JsonDocument document = JsonFields.Parse(file);
        JsonFields index = new(document.RootElement, path);
        index.ExpectFormat("apollo-handles-index", 2);
        List<string> names = index.Texts("ranks");
        foreach (string name in names)
        {
            if (name is "" or "." or ".." || name.AsSpan().IndexOfAny('/', '\\', '\0') >= 0)
            {
                throw HandlesFile.Malformed(path, $"names the rank \"{name}\"; only a plain file name in the same folder is allowed");
            }
        }

        if (names.Count is 0 or > MaxRanks || names.Distinct(StringComparer.Ordinal).Count() != names.Count)
        {
            throw HandlesFile.Malformed(path, $"names {names.Count} ranks; 1 to {MaxRanks} different ones are allowed");
        }

        return names;
    }

    private static HandlesFile Join(string folder, List<HandlesFile> ranks)
    {
        HashSet<int> seen = [];
        Dictionary<string, string> unmapped = new(StringComparer.Ordinal);
        foreach (HandlesFile rank in ranks)
        {
            int number = rank.Tensors.Count > 0 ? rank.Tensors[0].Rank : -1;
            if (number >= 0 && !seen.Add(number))
            {
                throw HandlesFile.Malformed(rank.Path, $"says that it is rank {number}, as another file of {folder} does");
            }

            foreach ((string name, string reason) in rank.UnmappedDisk)
            {
                unmapped.TryAdd(name, reason);
            }
        }

        // Each rank knows only its own tensors: what one of them holds is live, whatever another one says of it.
        foreach (LivePart part in ranks.SelectMany(rank => rank.Tensors).SelectMany(tensor => tensor.Parts ?? []))
        {
            unmapped.Remove(part.DiskName);
        }

        return ranks[0] with
        {
            Path = folder,
            Tensors = [.. ranks.SelectMany(rank => rank.Tensors)],
            Allocations = [.. ranks.SelectMany(rank => rank.Allocations)],
            Producers = [.. ranks.SelectMany(rank => rank.Producers)],
            StatePagePath = ranks.Select(rank => rank.StatePagePath).FirstOrDefault(page => page is not null),
            UnmappedDisk = unmapped,
        };
    }
}
