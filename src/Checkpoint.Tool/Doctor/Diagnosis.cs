using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.Tool.Commands;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Doctor;

/// <summary>
/// Looks at everything that a sync needs, in the order in which it would fail. Reads only; no live byte is read, and nothing is opened
/// on a GPU.
/// </summary>
internal static class Diagnosis
{
    /// <summary>All lines.</summary>
    public static IEnumerable<Finding> Run(SyncRequest request, CancellationToken cancel)
    {
        ModelDirectory? model = null;
        HandlesFile? handles = null;
        yield return Try("model", () => LookAtModel(model = ModelDirectory.Open(Disk.Instance, request.ModelDirectory)));
        if (model is not null)
        {
            yield return Try("journal", () => LookAtJournal(model));
            yield return Try("disk", () => LookAtDisk(model));
        }

        yield return Try(
            "handles",
            () => LookAtHandles(handles = HandlesFile.Read(request.Handles, FileRules.For(request.HandlesOwner), cancel))
        );
        bool needsTorch = handles is not null && Kinds(handles).Contains(AllocationKind.CudaExpandable);
        bool needsGpu = needsTorch || (handles is not null && Kinds(handles).Contains(AllocationKind.CudaIpc));
        if (model is not null && handles is not null && !needsGpu)
        {
            yield return Try("plan", () => LookAtPlan(PlanCommand.Describe(request, cancel)));
        }

        yield return Machine.LookAtPython(request.Python, needsTorch, cancel);
        yield return Machine.LookAtGpu(needsGpu);
    }

    /// <summary>Runs one look; a failure that the engine can explain is a finding.</summary>
    internal static Finding Try(string subject, Func<Finding> look)
    {
        try
        {
            return look();
        }
        catch (CheckpointException failure)
        {
            return new Finding(Level.Fail, subject, failure.Message, failure.Next);
        }
    }

    private static Finding LookAtModel(ModelDirectory model)
    {
        string shards = Quantity.Count(model.Layout.Shards.Count, "shard");
        string kind = ModelConfig.TryRead(Disk.Instance, model.ConfigPath)?.Architectures is [string architecture, ..]
            ? $", {architecture}"
            : "";
        string text = $"{shards}, {Quantity.Size(model.Layout.DataBytes)}, headers valid{kind}";
        return model.Layout.Shards.FirstOrDefault(shard => shard.LinkProblem is not null) is { } linked
            ? new Finding(
                Level.Fail,
                "model",
                $"{text}; {linked.FileName} {linked.LinkProblem}",
                "sync --replace-links puts private files in their place"
            )
            : new Finding(Level.Ok, "model", text);
    }

    private static Finding LookAtJournal(ModelDirectory model)
    {
        StatePaths paths = new(model.Path);
        if (Disk.Instance.Stat(paths.Folder) is null)
        {
            return new Finding(Level.Ok, "journal", "no versions yet: the first sync begins a history");
        }

        ModelState? state = ModelState.TryRead(Disk.Instance, paths.State);
        Journal journal = Journal.Open(Disk.Instance, paths, model.Layout, state?.Oldest ?? 0);
        string versions = Quantity.Count(journal.Versions.Count, "version");
        if (PendingWork.Peek(Disk.Instance, model.Layout, paths) is [string pending, ..])
        {
            return new Finding(Level.Warn, "journal", $"{versions}; {pending}", "the next sync finishes it; or: apollo-checkpoint fold");
        }

        return state is not null && state.FilesVersion < state.Newest
            ? new Finding(
                Level.Warn,
                "journal",
                $"{versions}; the files hold version {state.FilesVersion} of {state.Newest}: that is what a loader gets",
                "apollo-checkpoint fold"
            )
            : new Finding(Level.Ok, "journal", $"{versions}, nothing pending");
    }

    private static Finding LookAtDisk(ModelDirectory model)
    {
        DriveInfo drive = new(model.Path);
        long free = drive.AvailableFreeSpace;
        long largest = model.Layout.Shards.Max(shard => shard.Length);
        string text = $"{drive.DriveFormat}, {Quantity.Size(free)} free";
        return free < largest
            ? new Finding(
                Level.Warn,
                "disk",
                $"{text}; less than the largest shard ({Quantity.Size(largest)}), so files can only be written in place",
                "apollo-checkpoint prune removes old versions"
            )
            : new Finding(Level.Ok, "disk", text);
    }

    private static Finding LookAtHandles(HandlesFile handles)
    {
        string kinds = string.Join(" and ", Kinds(handles).Select(SourceNames.Of).Order());
        string what = $"{Quantity.Count(handles.Tensors.Count, "tensor")} in {kinds}";
        foreach (ProducerInfo producer in handles.Producers)
        {
            if (ProducerCheck.WhyGone(producer) is { } why)
            {
                return new Finding(
                    Level.Fail,
                    "handles",
                    $"{what}, written by pid {producer.Pid}, {why}",
                    producer.Kind == "demo" ? "start the producer again" : "restart vLLM with --load-format apollo"
                );
            }
        }

        string writer = handles.Producer.Pid is { } pid ? $", written by pid {pid} ({handles.Producer.Kind}), which is alive" : "";
        string page = handles.StatePagePath is null ? "; no state page, so two passes are read" : ", with a state page";
        return new Finding(Level.Ok, "handles", what + writer + page);
    }

    private static Finding LookAtPlan(PlanDescription plan) =>
        plan.Mismatches.Count == 0
            ? new Finding(
                Level.Ok,
                "plan",
                $"{Quantity.Count(plan.MappedTensors)} of {Quantity.Count(plan.TotalTensors, "tensor")} mapped, 0 mismatches"
            )
            : new Finding(
                Level.Fail,
                "plan",
                $"{Quantity.Count(plan.Mismatches.Count)} mismatches, the first: {plan.Mismatches[0].Tensor} {plan.Mismatches[0].Text}",
                "apollo-checkpoint plan --mismatches"
            );

    private static IEnumerable<AllocationKind> Kinds(HandlesFile handles) =>
        handles.Tensors.Select(tensor => tensor.Allocation?.Kind).OfType<AllocationKind>().Distinct();
}
