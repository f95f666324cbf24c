namespace ApolloCheckpoint.Engine.Weights;

/// <summary>Who owns the live weights, as far as the handles file says.</summary>
/// <param name="Kind">"vllm", "demo", "trainer", or "unknown".</param>
/// <param name="Pid">Process id, or null.</param>
/// <param name="StartTicks">Start of the process, clock ticks since boot (/proc/PID/stat field 22), or null.</param>
/// <param name="BootId">/proc/sys/kernel/random/boot_id at publication, or null.</param>
/// <param name="LoadedRoot">The root of the version it loaded, 32 hex digits, or null when it does not say.</param>
/// <param name="ModelPath">The directory it loaded from, or null.</param>
public sealed record ProducerInfo(string Kind, int? Pid, long? StartTicks, string? BootId, string? LoadedRoot, string? ModelPath)
{
    /// <summary>A source that knows no producer: an archive, a model directory.</summary>
    public static ProducerInfo Unknown { get; } = new("unknown", null, null, null, null, null);

    /// <summary>Inode of its PID namespace (/proc/self/ns/pid), or null: a number of another namespace cannot be looked up here.</summary>
    public long? PidNamespace { get; init; }

    /// <summary>When the handles were written, where they do not say when the process began: one that began later is another one.</summary>
    public DateTimeOffset? WrittenAt { get; init; }

    /// <summary>Further text for the report, such as "vLLM 0.32.0, hook apollo-vllm 0.1"; null when unknown.</summary>
    public string? Description { get; init; }
}
