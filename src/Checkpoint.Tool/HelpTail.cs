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

    /// <summary>Puts itself in the place of the root's help, which all verbs inherit.</summary>
    public static void AddTo(RootCommand root)
    {
        foreach (HelpOption option in root.Options.OfType<HelpOption>())
        {
            if (option.Action is HelpAction help)
            {
                help.MaxWidth = 120;
                option.Action = new HelpTail(help);
            }
        }
    }

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        int result = inner.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Exit codes:");
        output.WriteLine("  0 done · 1 unexpected · 2 usage · 10 model · 11 source · 12 plan · 13 locked · 14 journal · 15 disk");
        output.WriteLine("  16 verification · 17 inconsistent · 20 off-site · 130 cancelled; any other number is a failure, too");
        return result;
    }
}
