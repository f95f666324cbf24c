using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace ApolloCheckpoint.Tool;

/// <summary>The parser's own help, and under it what a script needs: the exit codes.</summary>
internal sealed class HelpTail : SynchronousCommandLineAction
{
    private readonly HelpAction inner;

    private HelpTail(HelpAction inner) => this.inner = inner;

    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <summary>The option --help, for the tool and all its verbs.</summary>
    public static Option Option()
    {
        HelpOption option = new();
        if (option.Action is HelpAction help)
        {
            help.MaxWidth = 120;
            option.Action = new HelpTail(help);
        }

        return option;
    }

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        TextWriter output = parseResult.InvocationConfiguration.Output;
        using StringWriter help = new() { NewLine = "\n" };
        parseResult.InvocationConfiguration.Output = help;
        int result = inner.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output = output;
        foreach (string line in help.ToString().TrimEnd().Split('\n'))
        {
            output.WriteLine(line.TrimEnd());
        }

        output.WriteLine();
        output.WriteLine("Exit codes:");
        output.WriteLine("  0 done · 1 unexpected · 2 usage · 10 model · 11 source · 12 plan · 13 locked · 14 journal · 15 disk");
        output.WriteLine(
            "  16 verification · 17 inconsistent · 18 service · 20 off-site · 130 cancelled; any other number is a failure, too"
        );
        return result;
    }
}
