using System.CommandLine;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary>Where the model is and how its live weights are opened: what <c>sync</c>, <c>watch</c>, <c>plan</c> and <c>verify</c> share.</summary>
internal sealed class SourceOptions
{
    private readonly Option<string> modelDirectory = CommonOptions.ModelDirectory();
    private readonly Option<string> handles = CommonOptions.Handles();
    private readonly Option<SourceKind> source = CommonOptions.Choice<SourceKind>(
        "--source",
        "What opens the handles; safetensors takes its directory through --handles"
    );

    private readonly Option<string?> python = new("--python")
    {
        Description = "Interpreter, virtual environment or conda environment of the python source",
        HelpName = "PATH",
    };

    private readonly Option<bool> trustPickle = new("--trust-pickle")
    {
        Description = "Let the python source execute what a .pt file says; only for files you made yourself",
    };

    private readonly Option<bool> trustMapping = new("--trust-mapping")
    {
        Description = "Believe parts that the hook did not prove against the files",
    };

    private readonly Option<string?> handlesOwner = new("--handles-owner")
    {
        Description = "One more user, name or number, who may own the handles",
        HelpName = "USER",
    };

    /// <summary>Adds all of them to a verb.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[modelDirectory, handles, source, python, trustPickle, trustMapping, handlesOwner])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>A request with these options and the defaults of all others.</summary>
    public SyncRequest Read(ParseResult parse) =>
        new()
        {
            ModelDirectory = Path.GetFullPath(parse.GetRequiredValue(modelDirectory)),
            Handles = Path.GetFullPath(parse.GetRequiredValue(handles)),
            Source = parse.GetValue(source),
            Python = parse.GetValue(python),
            TrustPickle = parse.GetValue(trustPickle),
            TrustMapping = parse.GetValue(trustMapping),
            HandlesOwner = parse.GetValue(handlesOwner),
            ToolCommand = SelfCommand.Prefix,
        };
}
