using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Consistency;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Demo;

/// <summary>
/// A live model without a GPU: loads a model directory into shared memory, publishes it as the hook inside vLLM does, and trains, each
/// step inside the bracket of the state page. What it is told to do comes on standard input, or by its own clock.
/// </summary>
internal sealed class DemoProducer : IDisposable
{
    private readonly DemoFolder folder;
    private readonly LiveMemory memory;
    private readonly StatePageWriter page;
    private readonly Dice dice;
    private readonly double share;
    private bool isOver;

    private DemoProducer(DemoFolder folder, LiveMemory memory, StatePageWriter page, double share, Dice dice)
    {
        this.folder = folder;
        this.memory = memory;
        this.page = page;
        this.share = share;
        this.dice = dice;
    }

    /// <summary>The handles directory.</summary>
    public string Handles => folder.Path;

    /// <summary>Parameters in memory.</summary>
    public int Parameters => memory.Parameters.Count;

    /// <summary>Bytes in memory.</summary>
    public long Bytes => memory.Length;

    /// <summary>Loads the model and publishes it.</summary>
    /// <param name="modelDirectory">The model; a small one is made when the folder is missing or empty.</param>
    /// <param name="handles">The folder to publish in, or null for a fresh one.</param>
    /// <param name="share">The share of elements that one step changes.</param>
    /// <param name="cancel">Stops the loading.</param>
    public static DemoProducer Start(string modelDirectory, string? handles, double share, CancellationToken cancel)
    {
        if (!Directory.Exists(modelDirectory) || !Directory.EnumerateFileSystemEntries(modelDirectory).Any())
        {
            DemoModel.Write(modelDirectory, cancel);
        }

        ModelDirectory model = ModelDirectory.Open(Disk.Instance, modelDirectory);
        string? loadedRoot = Fold(model, cancel);
        DemoFolder folder = DemoFolder.Take(handles, model.Layout.DataBytes);
        try
        {
            StatePageWriter page = StatePageWriter.Create(Path.Combine(folder.Path, HandlesPublisher.StateName), 0, TimeProvider.System);
            LiveMemory memory;
            // Loading writes weights, too, so it stands in the bracket; and a page that was never written is taken for no page.
            using (page.Begin(cancel))
            {
                memory = LiveMemory.Load(Path.Combine(folder.Path, DemoFolder.MemoryName), model, cancel);
            }

            HandlesPublisher.Write(folder.Path, memory, model.Path, loadedRoot);
            return new DemoProducer(folder, memory, page, share, new Dice((ulong)Environment.ProcessId));
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>One step of training.</summary>
    /// <returns>What it did, for the user.</returns>
    public string Step(CancellationToken cancel)
    {
        long changed;
        using (page.Begin(cancel))
        {
            changed = memory.Step(share, dice);
        }

        return $"step {page.Step} changed {Quantity.Count(changed, "element")}";
    }

    /// <summary>As the hook does before vLLM loads: the files must be at the newest version, whose root is then published.</summary>
    /// <returns>The root, 32 hex digits, or null when the model has no history.</returns>
    private static string? Fold(ModelDirectory model, CancellationToken cancel)
    {
        if (Disk.Instance.Stat(model.StatePath) is null)
        {
            return null;
        }

        using JournalSession session = JournalSession.Open(
            Disk.Instance,
            model,
            new JournalOptions { Codec = () => new ChunkCodec() },
            cancel
        );
        session.Fold(FoldWay.Auto, cancel);
        return session.Root.ToString();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!isOver)
        {
            isOver = true;
            page.Dispose();
            memory.Dispose();
            folder.Dispose();
        }
    }
}
