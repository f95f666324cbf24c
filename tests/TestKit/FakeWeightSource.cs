using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.TestKit;

/// <summary>Live tensors in arrays that a test may change at any time, also at the n-th read, and that may fail at the n-th read.</summary>
public sealed class FakeWeightSource : IWeightSource
{
    private readonly Dictionary<string, byte[]> bytes = new(StringComparer.Ordinal);
    private readonly List<LiveTensor> tensors = [];
    private readonly Dictionary<int, Action> atRead = [];
    private int reads;

    /// <inheritdoc/>
    public string Kind { get; init; } = "fake memory";

    /// <inheritdoc/>
    public IReadOnlyList<LiveTensor> Tensors => tensors;

    /// <inheritdoc/>
    public ProducerInfo Producer { get; set; } = ProducerInfo.Unknown;

    /// <inheritdoc/>
    public string? StatePagePath { get; set; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> DeclaredNotLive { get; set; } = new Dictionary<string, string>();

    /// <summary>Number of calls to <see cref="Read"/> so far.</summary>
    public int Reads => Volatile.Read(ref reads);

    /// <summary>Whether <see cref="Dispose"/> was called.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>The live bytes of a tensor, to be changed in place.</summary>
    public byte[] this[string name] => bytes[name];

    /// <summary>A source that holds every tensor of the model under the same name, with the same bytes.</summary>
    public static FakeWeightSource Of(TinyModel model)
    {
        FakeWeightSource source = new();
        foreach (TinyTensor tensor in model.Tensors)
        {
            source.Add(new LiveTensor(tensor.Name, tensor.Type, tensor.Shape), model.BytesOf(tensor.Name));
        }

        return source;
    }

    /// <summary>Adds a live tensor.</summary>
    /// <param name="tensor">What it is.</param>
    /// <param name="content">Its bytes in contiguous order; kept, not copied.</param>
    public void Add(LiveTensor tensor, byte[] content)
    {
        if (content.Length != tensor.ByteLength)
        {
            throw new ArgumentException($"{tensor.Name} has {tensor.ByteLength} bytes, {content.Length} given", nameof(content));
        }

        tensors.Add(tensor);
        bytes.Add(tensor.Name, content);
    }

    /// <summary>Takes a tensor out, as a producer that does not publish it.</summary>
    public void Remove(string name)
    {
        tensors.RemoveAll(tensor => tensor.Name == name);
        bytes.Remove(name);
    }

    /// <summary>Runs an action just before the n-th read from now (1 is the next).</summary>
    public void AtRead(int n, Action action) => atRead[Reads + n] = action;

    /// <summary>Makes the n-th read from now fail as a producer that went away.</summary>
    public void FailAtRead(int n) =>
        AtRead(n, () => throw new CheckpointException(CheckpointError.SourceUnavailable, "the fake source was told to fail"));

    /// <inheritdoc/>
    public void Read(LiveTensor tensor, long byteOffset, Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        int number = Interlocked.Increment(ref reads);
        ArgumentOutOfRangeException.ThrowIfNegative(byteOffset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteOffset, tensor.ByteLength - destination.Length);
        if (atRead.TryGetValue(number, out Action? action))
        {
            action();
        }

        bytes[tensor.Name].AsSpan(checked((int)byteOffset), destination.Length).CopyTo(destination);
    }

    /// <summary>One step of a trainer on every tensor, in place.</summary>
    /// <param name="share">The share of elements that change, 0 to 1.</param>
    /// <param name="seed">Of the choice.</param>
    /// <returns>Number of elements that changed.</returns>
    public long Step(double share, int seed) => TrainerStep.Apply(this, share, seed);

    /// <inheritdoc/>
    public void Dispose() => IsDisposed = true;
}
