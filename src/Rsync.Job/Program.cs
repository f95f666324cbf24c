using System.CommandLine;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Rsync;

// The off-site job as a program of its own; `apollo-checkpoint offsite` is the same command.
RootCommand root = new("Ships a model directory to another host with rsync, every night, from a consistent state.");
OffsiteCommand.Configure(root);
ParseResult parsed = root.Parse(args);
try
{
    int code = await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
    return parsed.Errors.Count > 0 ? 2 : code;
}
catch (CheckpointException e)
{
    await Console.Error.WriteLineAsync(OffsiteCommand.Describe(e));
    return e.ExitCode;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("cancelled; what arrived is kept and continued by the next run");
    return 130;
}
