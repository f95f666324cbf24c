using System.CommandLine;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>plan</c>: what would be compared with what. Reads handles and headers, no live byte, and writes nothing.</summary>
internal static class PlanCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new("plan", "Show what would be compared with what; no live bytes are read, nothing is written.");
        SourceOptions options = new();
        options.AddTo(command);
        Option<bool> mismatches = new("--mismatches") { Description = "Only what does not fit" };
        Option<bool> json = CommonOptions.Json();
        command.Options.Add(mismatches);
        command.Options.Add(json);
        command.SetAction(parse =>
        {
            PlanDescription plan = Describe(options.Read(parse), context.Cancel);
            if (parse.GetValue(json))
            {
                PlanJson.Write(context.Console.Out, plan, parse.GetValue(mismatches));
            }
            else
            {
                PlanText.Write(context.Console.Out, plan, parse.GetValue(mismatches), context.Console.ColourOut);
            }

            return (int)(plan.Mismatches.Count == 0 ? ExitCode.Done : ExitCode.PlanMismatch);
        });
        return command;
    }

    /// <summary>Plans as a sync would.</summary>
    internal static PlanDescription Describe(SyncRequest request, CancellationToken cancel)
    {
        ModelDirectory model = ModelDirectory.Open(Disk.Instance, request.ModelDirectory);
        ModelConfig? config = ModelConfig.TryRead(Disk.Instance, model.ConfigPath);
        using OpenedSource opened = WeightSources.Open(request, cancel);
        PlanOptions trust = new(request.TrustMapping);
        SyncPlan plan = Planner.Plan(model, config, opened.Source.Tensors, opened.Source.DeclaredNotLive, trust);
        return PlanDescription.Of(plan, model.Layout);
    }
}
