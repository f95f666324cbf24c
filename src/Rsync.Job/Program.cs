using System.CommandLine;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Rsync;

// The off-site job as a program of its own; `apollo-checkpoint offsite` is the same command.
RootCommand root = new("Ships a model directory to another host with rsync, every night, from a consistent state.");
new OffsiteCommand(Console.Error.WriteLine, Complain).Configure(root);
ParseResult parsed = root.Parse(args);
try
{
    int code = await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
    return parsed.Errors.Count > 0 ? 2 : code;
}
catch (CheckpointException e)
{
    Complain(e);
    return e.ExitCode;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("cancelled; what arrived is kept and continued by the next run");
    return 130;
}

static void Complain(CheckpointException e)
{
    Console.Error.WriteLine($"error {e.ExitCode}: {e.Message}");
    foreach ((string label, string text) in e.Lines())
    {
        Console.Error.WriteLine($"  {label, -8}  {text}");
    }
}
