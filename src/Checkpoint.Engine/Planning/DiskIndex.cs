using System.Diagnostics.CodeAnalysis;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>The tensors on disk, in the order of the plan (shard, then file offset) and by name.</summary>
internal sealed class DiskIndex
{
    private readonly Dictionary<string, DiskTensor> byName = new(StringComparer.Ordinal);
    private readonly List<DiskTensor> all = [];

    internal DiskIndex(ModelLayout layout, PlanDraft draft)
    {
        foreach (Shard shard in layout.Shards)
        {
            foreach (TensorEntry entry in shard.Header.Tensors)
            {
                DiskTensor tensor = new(shard, entry);
                if (byName.TryAdd(entry.Name, tensor))
                {
                    all.Add(tensor);
                }
                else
                {
                    draft.Refuse("overlap", entry.Name, $"it is in {byName[entry.Name].Shard.FileName} and in {shard.FileName}");
                }
            }
        }

        Embedding = all.Find(tensor => IsOf(tensor.Name, "embed_tokens.weight"));
        HasHead = all.Exists(tensor => IsOf(tensor.Name, "lm_head.weight"));
    }

    internal IReadOnlyList<DiskTensor> All => all;

    /// <summary>The input embedding, or null.</summary>
    internal DiskTensor? Embedding { get; }

    /// <summary>Whether the files store a head of their own.</summary>
    internal bool HasHead { get; }

    internal bool TryFind(string name, [NotNullWhen(true)] out DiskTensor? tensor) => byName.TryGetValue(name, out tensor);

    private static bool IsOf(string name, string last) =>
        name.EndsWith(last, StringComparison.Ordinal) && (name.Length == last.Length || name[^(last.Length + 1)] == '.');
}
