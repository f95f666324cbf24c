using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Weights.Python;
using ApolloCheckpoint.Tool;

// First of all, before anything of the command line is loaded: the python source's child process starts as fast as it can.
if (args is [PythonHostMain.Verb, .. string[] rest])
{
    return PythonHostMain.Run(rest);
}

using Cancellation cancellation = new();
ToolContext context = new(ToolConsole.ForProcess(), SyncEngine.Run, cancellation.Token);
return CommandLine.Run(args, context);
