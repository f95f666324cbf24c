using System.CommandLine;
using System.Diagnostics;
using ApolloCheckpoint.Tool.Demo;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>demo</c>: the product in less than a minute, on any machine; every claim is checked.</summary>
internal static class DemoCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new(
            "demo",
            "See it work: a live model is trained, synced, killed, recovered and restored. Leaves nothing behind."
        );
        command.SetAction(_ => Run(context));
        return command;
    }

    private static int Run(ToolContext context)
    {
        ToolConsole console = context.Console;
        Paint paint = new(console.ColourOut);
        long begin = Stopwatch.GetTimestamp();
        console.Out.WriteLine(
            paint.Strong("apollo-checkpoint brings live weights back into the model's own files. The files are the checkpoint.")
        );
        Story story = new(console);
        DemoRun.Tell(story, context.Cancel);
        string elapsed = Quantity.Duration(Stopwatch.GetElapsedTime(begin));
        console.Out.WriteLine();
        if (story.Broken > 0)
        {
            console.Out.WriteLine(paint.Bad($"{story.Broken} of {Quantity.Count(story.Claims, "claim")} did not hold ({elapsed})"));
            return (int)ExitCode.Unexpected;
        }

        console.Out.WriteLine(
            paint.Strong($"All {Quantity.Count(story.Claims, "claim")} were checked and hold ({elapsed}); nothing is left behind.")
        );
        console.Out.WriteLine("Where to go next:");
        console.Out.WriteLine("  apollo-checkpoint demo-producer       a live model to play with: sync, log, restore at your own pace");
        console.Out.WriteLine("  apollo-checkpoint doctor --help       what your own model and vLLM still need");
        console.Out.WriteLine("  ./build.sh demo --pipeline            engine, trigger and off-site job under the Aspire dashboard");
        return (int)ExitCode.Done;
    }
}
