using System.CommandLine;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Tool.Doctor;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>doctor</c>: what is missing or wrong on this machine, each with the command that mends it.</summary>
internal static class DoctorCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new(
            "doctor",
            "Say what is missing or wrong, each with what mends it; exits with 0 only when a sync would work now."
        );
        SourceOptions options = new();
        options.AddTo(command);
        Option<bool> offsite = new("--offsite") { Description = "Ask the off-site host, too (ssh, without a password)" };
        Option<string> host = new("--host")
        {
            Description = "The off-site host",
            HelpName = "HOST",
            DefaultValueFactory = _ => "moria",
        };
        command.Options.Add(offsite);
        command.Options.Add(host);
        command.SetAction(parse =>
        {
            SyncRequest request = options.Read(parse);
            Finding last = parse.GetValue(offsite) ? Machine.LookAtOffsite(parse.GetRequiredValue(host)) : Machine.LookAtTools();
            return Show(context.Console, Diagnosis.Run(request, context.Cancel).Append(last));
        });
        return command;
    }

    /// <summary>Each line as soon as it is found: some looks take seconds.</summary>
    private static int Show(ToolConsole console, IEnumerable<Finding> findings)
    {
        bool failed = false;
        foreach (Finding finding in findings)
        {
            DoctorText.Write(console.Out, finding, console.ColourOut);
            failed |= finding.Level == Level.Fail;
        }

        return (int)(failed ? ExitCode.Unexpected : ExitCode.Done);
    }
}
