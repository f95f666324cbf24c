using ApolloCheckpoint.Engine.Weights.Python;

// First of all, before anything of the command line is loaded: the python source's child process starts as fast as it can.
if (args is [PythonHostMain.Verb, .. string[] rest])
{
    return PythonHostMain.Run(rest);
}

return 0;
