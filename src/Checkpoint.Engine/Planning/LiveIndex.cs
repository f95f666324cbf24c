using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// The live tensors by the name a rule asks for: LoRA's wrapper is taken out of the name, and a tensor that vLLM registers under
/// several names is found under each. Tensors whose hook says what they are (<see cref="LiveTensor.Parts"/>) are not offered to rules.
/// Notes which tensors something on disk accounts for.
/// </summary>
internal sealed class LiveIndex
{
    private readonly Dictionary<string, List<LiveTensor>> byName = new(StringComparer.Ordinal);
    private readonly HashSet<LiveTensor> duplicates = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<string> firstComponents = new(StringComparer.Ordinal);
    private readonly HashSet<LiveTensor> accounted = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<string> accountedMemory = new(StringComparer.Ordinal);
    private readonly HashSet<string> accountedNames = new(StringComparer.Ordinal);

    internal LiveIndex(IReadOnlyList<LiveTensor> live)
    {
        All = live;
        foreach (LiveTensor tensor in live.Where(tensor => tensor.Parts is null))
        {
            string name = LiveNames.WithoutWrapper(tensor.Name);
            firstComponents.Add(FirstComponent(name));
            List<LiveTensor> bucket = Bucket(name);
            if (bucket.FirstOrDefault(other => other.Rank == tensor.Rank) is not { } twin)
            {
                bucket.Add(tensor);
            }
            else if (tensor.StorageKey is null || tensor.StorageKey != twin.StorageKey)
            {
                duplicates.Add(tensor);
            }
        }

        foreach (LiveTensor tensor in live.Where(tensor => tensor.Parts is null))
        {
            string name = LiveNames.WithoutWrapper(tensor.Name);
            if (LiveNames.Canonical(name) is { } canonical && canonical != name && !byName.ContainsKey(canonical))
            {
                byName[canonical] = byName[name];
            }
        }

        Ranks = live.Select(tensor => tensor.Rank).Distinct().Count();
    }

    internal IReadOnlyList<LiveTensor> All { get; }

    /// <summary>Whether another tensor of the same rank has its name, with other memory.</summary>
    internal bool IsDuplicate(LiveTensor tensor) => duplicates.Contains(tensor);

    /// <summary>Number of ranks that publish anything.</summary>
    internal int Ranks { get; }

    /// <summary>The tensors of that name, one a rank; empty when nothing has it.</summary>
    internal IReadOnlyList<LiveTensor> Find(string name) => byName.TryGetValue(name, out List<LiveTensor>? found) ? found : [];

    /// <summary>Whether any live tensor stands under the first component of that name ("visual" of "visual.blocks.0.norm1.weight").</summary>
    internal bool HasTower(string name) => firstComponents.Contains(FirstComponent(name));

    /// <summary>Notes that something on disk was to come from there, whether or not it fitted.</summary>
    internal void Account(LiveTensor tensor)
    {
        accounted.Add(tensor);
        string name = LiveNames.WithoutWrapper(tensor.Name);
        accountedNames.Add(name);
        if (LiveNames.Canonical(name) is { } canonical)
        {
            accountedNames.Add(canonical);
        }

        if (tensor.StorageKey is { } key)
        {
            accountedMemory.Add(key);
        }
    }

    /// <summary>Whether it, or another name of the same memory, is accounted for.</summary>
    internal bool IsAccounted(LiveTensor tensor) =>
        accounted.Contains(tensor) || (tensor.StorageKey is { } key && accountedMemory.Contains(key));

    /// <summary>Whether the tensor of that name, LoRA's wrapper left out, is accounted for on any rank.</summary>
    internal bool IsAccountedSomewhere(string name) => accountedNames.Contains(name);

    private List<LiveTensor> Bucket(string name)
    {
        if (!byName.TryGetValue(name, out List<LiveTensor>? bucket))
        {
            byName[name] = bucket = [];
        }

        return bucket;
    }

    private static string FirstComponent(string name) =>
        name.IndexOf('.', StringComparison.Ordinal) is > 0 and int dot ? name[..dot] : name;
}
