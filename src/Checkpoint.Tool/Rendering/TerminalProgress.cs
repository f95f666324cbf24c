using ApolloCheckpoint.Engine;
using Spectre.Console;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>
/// Draws one line a stage on a terminal, with rate and time left, on standard error; the line goes when the stage is over, so that
/// what stays is the report. <see cref="Advance"/> only adds to a counter: the drawing thread reads it ten times a second.
/// </summary>
internal sealed class TerminalProgress : IProgressSink, IDisposable
{
    /// <summary>A stage that is over sooner is never drawn: it would only flicker.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(300);

    private readonly IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
    private readonly ManualResetEventSlim over = new();
    private Thread? drawing;
    private long done;

    /// <inheritdoc/>
    public void Begin(string stage, long totalBytes)
    {
        End();
        over.Reset();
        Interlocked.Exchange(ref done, 0);
        drawing = new Thread(() => Draw(Describe(stage), totalBytes)) { IsBackground = true, Name = "progress" };
        drawing.Start();
    }

    /// <inheritdoc/>
    public void Advance(long bytes) => Interlocked.Add(ref done, bytes);

    /// <inheritdoc/>
    public void End()
    {
        over.Set();
        drawing?.Join();
        drawing = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        End();
        over.Dispose();
    }

    /// <summary>A stage as users call it.</summary>
    internal static string Describe(string stage) =>
        stage switch
        {
            "scan" => "reading live weights",
            "fold" => "bringing files up to date",
            "verify" => "verifying",
            "restore" => "restoring",
            _ => stage,
        };

    private void Draw(string description, long totalBytes)
    {
        if (over.Wait(Patience))
        {
            return;
        }

        ProgressColumn[] columns = [new TaskDescriptionColumn(), new ProgressBarColumn { Width = 15 }, new TransferColumn()];
        console
            .Progress()
            .AutoClear(true)
            .Columns(columns)
            .Start(context =>
            {
                ProgressTask task = context.AddTask(description, maxValue: Math.Max(1, totalBytes));
                while (!over.Wait(100))
                {
                    task.Value = Interlocked.Read(ref done);
                }
            });
    }
}
