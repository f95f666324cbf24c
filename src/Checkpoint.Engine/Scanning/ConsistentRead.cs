using ApolloCheckpoint.Engine.Weights.Consistency;

namespace ApolloCheckpoint.Engine.Scanning;

/// <summary>
/// Passes a scan as often as it takes to know how consistent its bytes are (DESIGN, consistency of the source):
/// <code>
/// lock      hold the trainer at its next step while reading                      → locked
/// page      even and unchanged before and after a pass; passed again if not      → step N
/// no page   two passes that read the same                                        → stable
/// else      the newest bytes of every tensor, and which moved in the last pass   → mixed (strict: refused)
///           or none moved, but the trainer says that it is in the middle of a step
/// page      odd, and the writer that left it so is gone: half a step for good    → refused
/// whatever  copies on several ranks that all compute and are not the same        → mixed (strict: refused)
/// </code>
/// </summary>
/// <param name="scan">The scan.</param>
/// <param name="page">The trainer's state page, or null.</param>
/// <param name="lastSequence">The page's sequence at the last sync with the same producer, or null.</param>
/// <param name="maxStall">Longest time to hold the trainer.</param>
internal sealed class ConsistentRead(ModelScan scan, StatePage? page, ulong? lastSequence, TimeSpan maxStall)
{
    /// <summary>Passes before a trainer is taken to never hold still.</summary>
    private const int MostPasses = 4;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    private readonly List<string> warnings = [];
    private TimeSpan waitLeft;

    /// <summary>Reads.</summary>
    /// <exception cref="CheckpointException">SourceInconsistent (strict, or lock without a page or in vain); what the scan throws.</exception>
    internal ReadResult Run(ConsistencyMode mode, CancellationToken cancel)
    {
        if (mode == ConsistencyMode.None)
        {
            scan.Pass(cancel);
            return Result(ConsistencyKind.Unverified);
        }

        RefuseHalfStep(cancel);
        if (mode == ConsistencyMode.Lock)
        {
            return RunLocked(cancel);
        }

        ReadResult result = RunPasses(cancel);
        if (mode == ConsistencyMode.Strict && result.Label.Kind == ConsistencyKind.Mixed)
        {
            if (scan.CopiesThatDiffer.Count > 0)
            {
                throw InconsistentSource.CopiesDiffer(scan.CopiesThatDiffer);
            }

            throw InconsistentSource.Moved(result.Label.MixedTensors ?? [], MostPasses);
        }

        return result;
    }

    private ReadResult RunLocked(CancellationToken cancel)
    {
        if (page is null)
        {
            throw new CheckpointException(
                CheckpointError.SourceInconsistent,
                "the producer publishes no state page, so it cannot be held while it is read",
                "bracket the optimizer step with apollo_vllm.step_guard; or leave --consistency out"
            );
        }

        using IDisposable hold =
            page.TryHoldShared(maxStall, cancel)
            ?? throw new CheckpointException(
                CheckpointError.SourceInconsistent,
                $"the trainer was inside a step for {maxStall.TotalSeconds:0.#} s and could not be held",
                "give it longer: --max-stall; or leave --consistency out"
            );
        StateSnapshot begin = page.Read();
        // Lets the trainer go on when the read takes longer than it may be held; the sequence then tells whether it wrote.
        using Timer patience = new(_ => hold.Dispose(), null, maxStall, Timeout.InfiniteTimeSpan);
        scan.Pass(cancel);
        StateSnapshot end = page.Read();
        if (begin == end && !begin.IsBeingWritten)
        {
            return Result(ConsistencyKind.Locked, end);
        }

        warnings.Add(
            $"reading took longer than the trainer may be held (--max-stall {maxStall.TotalSeconds:0.#} s): read without holding it"
        );
        return RunPasses(cancel);
    }

    private ReadResult RunPasses(CancellationToken cancel)
    {
        bool isTrusted = IsAlive();
        waitLeft = maxStall;
        IReadOnlyCollection<string> moved = [];
        for (int pass = 1; pass <= MostPasses; pass++)
        {
            StateSnapshot? begin = isTrusted ? AwaitEndOfStep(cancel) : page?.Read();
            moved = scan.Pass(cancel);
            StateSnapshot? end = page?.Read();
            // Half of a step holds still too while its writer waits for something: then two passes that read the same prove nothing.
            bool isInside = isTrusted && (begin?.IsBeingWritten == true || end?.IsBeingWritten == true);
            bool stoodStill = isTrusted && begin is { IsBeingWritten: false } && begin == end;
            if (stoodStill && pass == 1 && scan.FoundChanges && end?.Sequence == lastSequence)
            {
                warnings.Add(
                    "weights changed though the state page has stood still since the last sync: its writer does not bracket its steps"
                );
                isTrusted = false;
            }
            else if (stoodStill)
            {
                return Result(ConsistencyKind.Step, end);
            }
            else if (pass > 1 && moved.Count == 0 && !isInside)
            {
                RefuseHalfStep(cancel);
                return Result(ConsistencyKind.Stable, end);
            }
        }

        RefuseHalfStep(cancel);
        if (moved.Count == 0)
        {
            warnings.Add("the trainer was inside a step in every pass: no tensor was seen to move, and yet they may be of two steps");
        }

        return Result(ConsistencyKind.Mixed, page?.Read(), [.. moved.Order(StringComparer.Ordinal)]);
    }

    /// <summary>Waits for a trainer that is inside a step to leave it, all waits together no longer than it may be held.</summary>
    /// <returns>What the page says in the end.</returns>
    private StateSnapshot? AwaitEndOfStep(CancellationToken cancel)
    {
        StateSnapshot? state = page?.Read();
        for (; state is { IsBeingWritten: true } && waitLeft > TimeSpan.Zero; waitLeft -= Pause)
        {
            cancel.ThrowIfCancellationRequested();
            cancel.WaitHandle.WaitOne(Pause);
            state = page?.Read();
        }

        return state;
    }

    /// <summary>A page that nobody ever wrote, or whose writer is gone, says nothing about the weights.</summary>
    private bool IsAlive()
    {
        if (page?.Read() is not { } state)
        {
            return false;
        }

        if (state.Sequence == 0)
        {
            warnings.Add("the state page was never written: no trainer brackets its steps, so the weights were read twice");
            return false;
        }

        if (state.WriterPid > 0 && !Directory.Exists($"/proc/{state.WriterPid}"))
        {
            warnings.Add($"the trainer that wrote the state page (pid {state.WriterPid}) is gone, so the weights were read twice");
            return false;
        }

        return true;
    }

    /// <summary>
    /// A page that says "inside a step" while nobody holds its lock: the writer died there, and every weight that it had not reached yet
    /// is a step behind the others until a trainer steps again.
    /// </summary>
    private void RefuseHalfStep(CancellationToken cancel)
    {
        if (page?.Read() is not { IsBeingWritten: true })
        {
            return;
        }

        using IDisposable? hold = page.TryHoldShared(maxStall, cancel);
        if (hold is not null && page.Read() is { IsBeingWritten: true } state)
        {
            throw InconsistentSource.HalfStep(state);
        }
    }

    private ReadResult Result(ConsistencyKind kind, StateSnapshot? state = null, IReadOnlyList<string>? moved = null)
    {
        long? step = state is { } page ? (long)page.Step : null;
        if (scan.CopiesThatDiffer.Count > 0)
        {
            string[] differing = [.. scan.CopiesThatDiffer.Order(StringComparer.Ordinal)];
            warnings.Add(
                $"several ranks compute with copies of {differing.Length} tensors that are not the same ({string.Join(", ", differing.Take(3))}"
                    + (differing.Length > 3 ? ", …" : "")
                    + "): the first rank's were taken"
            );
            kind = ConsistencyKind.Mixed;
            moved = [.. differing.Union(moved ?? [], StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        }

        return new ReadResult(new ConsistencyLabel(kind, step, moved), state, warnings);
    }
}
