using System.Globalization;

namespace ApolloCheckpoint.Engine.Weights;

/// <summary>
/// Whether the process that published handles still lives. Memory of a dead one is gone or, in a file, stands still for ever; and its
/// number may meanwhile be another process's, so the start time is compared too.
/// </summary>
internal static class ProducerCheck
{
    /// <summary>USER_HZ, which Linux fixes at 100 for what /proc shows (time(7)).</summary>
    private const double TicksPerSecond = 100;

    /// <summary>Does nothing when the producer lives or did not say who it is.</summary>
    /// <exception cref="CheckpointException">ProducerGone.</exception>
    internal static void EnsureAlive(ProducerInfo producer)
    {
        if (WhyGone(producer) is { } why)
        {
            throw new CheckpointException(
                CheckpointError.ProducerGone,
                $"the handles were written by process {producer.Pid}, {why}",
                $"restart {(producer.Kind == "vllm" ? "vLLM with --load-format apollo" : "the producer")}; it publishes new handles when it has loaded"
            );
        }
    }

    /// <summary>Why the producer is gone, or null when it lives or did not say who it is.</summary>
    internal static string? WhyGone(ProducerInfo producer)
    {
        if (producer.Pid is not { } pid)
        {
            return null;
        }

        if (producer.BootId is { } boot && CurrentBootId() is { } current && boot != current)
        {
            return "before this machine was started again";
        }

        if (producer.PidNamespace is { } space && CurrentPidNamespace() is { } here && space != here)
        {
            return null; // in a container of its own, where its number means something else
        }

        return StartTicks(pid) switch
        {
            null => "which is gone",
            { } ticks when producer.StartTicks is { } published && published != ticks => "which is gone; its number is another process now",
            { } ticks when producer.WrittenAt is { } written && BeganAfter(ticks, written) =>
                "which is gone; its number is a process now that began later",
            _ => null,
        };
    }

    /// <summary>This boot's id, or null where the kernel does not tell.</summary>
    internal static string? CurrentBootId() => TryRead("/proc/sys/kernel/random/boot_id")?.Trim();

    /// <summary>Inode of this process's PID namespace, or null where the kernel does not tell.</summary>
    internal static long? CurrentPidNamespace()
    {
        // The link reads "pid:[4026531836]".
        string? target = new FileInfo("/proc/self/ns/pid").LinkTarget;
        return
            target is ['p', 'i', 'd', ':', '[', .. var number, ']'] && long.TryParse(number, CultureInfo.InvariantCulture, out long inode)
            ? inode
            : null;
    }

    /// <summary>When a process started, clock ticks since boot; null when there is none, or only what its parent has not collected.</summary>
    internal static long? StartTicks(int pid)
    {
        if (TryRead($"/proc/{pid}/stat") is not { } stat)
        {
            return null;
        }

        // "4242 (VLLM::Worker (1)) S 1 ...": the name may hold blanks and parentheses, so count from the last one. Field 3 is the
        // state (Z: dead, not collected), field 22 the start (proc_pid_stat(5)).
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 19 && fields[0] is not ("Z" or "X") ? long.Parse(fields[19], CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Whether a process began after a moment; when in doubt (2 s, a clock that was set) it did not.</summary>
    private static bool BeganAfter(long startTicks, DateTimeOffset moment) =>
        TryRead("/proc/uptime")?.Split(' ')[0] is { } uptime
        && double.TryParse(uptime, CultureInfo.InvariantCulture, out double seconds)
        && DateTimeOffset.UtcNow.AddSeconds(startTicks / TicksPerSecond - seconds) > moment.AddSeconds(2);

    private static string? TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
