using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Demo;

/// <summary>Tells the demo: numbered steps, what was run, what came out, and each claim with whether it held.</summary>
internal sealed class Story(ToolConsole console)
{
    private readonly Paint paint = new(console.ColourOut);
    private int steps;

    /// <summary>Number of claims that were checked.</summary>
    public int Claims { get; private set; }

    /// <summary>Number of claims that did not hold.</summary>
    public int Broken { get; private set; }

    /// <summary>Begins a step.</summary>
    public void Step(string sentence)
    {
        steps++;
        console.Out.WriteLine();
        console.Out.WriteLine(paint.Strong($"{steps}. {sentence}"));
        console.Out.Flush();
    }

    /// <summary>Something that happened.</summary>
    public void Say(string text)
    {
        foreach (string line in text.TrimEnd('\n').Split('\n'))
        {
            console.Out.WriteLine(("   " + line).TrimEnd());
        }

        console.Out.Flush();
    }

    /// <summary>A command that is run.</summary>
    public void Command(string line) => Say(paint.Faint("$ apollo-checkpoint " + line));

    /// <summary>A claim, checked just now.</summary>
    public void Claim(bool holds, string text)
    {
        Claims++;
        Broken += holds ? 0 : 1;
        Say($"{(holds ? paint.Good("✓") : paint.Bad("✗ NOT SO:"))} {text}");
    }
}
