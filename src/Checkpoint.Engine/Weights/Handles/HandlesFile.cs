using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Handles.Torch;

namespace ApolloCheckpoint.Engine.Weights.Handles;

/// <summary>
/// What a handles file says: the tensors, the memory that holds them, and who owns it. One model for our JSON (version 2), for the
/// <c>torch.save</c>d files of CUDA tuples (version 1) and for plain torch archives. Reading one opens no memory and executes nothing;
/// every number in it is proven: a tensor lies inside its allocation.
/// </summary>
internal sealed record HandlesFile
{
    /// <summary>The file, or the folder of a version 2 directory.</summary>
    internal required string Path { get; init; }

    /// <summary>The container.</summary>
    internal required HandlesFormat Format { get; init; }

    /// <summary>All tensors of all ranks; names are unique within a rank.</summary>
    internal required IReadOnlyList<HandleTensor> Tensors { get; init; }

    /// <summary>All allocations of all ranks, those that no tensor uses too.</summary>
    internal required IReadOnlyList<HandleAllocation> Allocations { get; init; }

    /// <summary>Who owns the memory, one a rank; empty when the file does not say.</summary>
    internal IReadOnlyList<ProducerInfo> Producers { get; init; } = [];

    /// <summary>The state page, absolute, or null.</summary>
    internal string? StatePagePath { get; init; }

    /// <summary>Tensors on disk without live counterpart: name and reason.</summary>
    internal IReadOnlyDictionary<string, string> UnmappedDisk { get; init; } = new Dictionary<string, string>();

    /// <summary>True: the records' elements are big-endian.</summary>
    internal bool IsBigEndian { get; init; }

    /// <summary>The first rank's producer.</summary>
    internal ProducerInfo Producer => Producers.Count > 0 ? Producers[0] : ProducerInfo.Unknown;

    /// <summary>Reads a version 2 directory, a rank's JSON file, or a torch archive.</summary>
    /// <param name="path">The file or directory.</param>
    /// <param name="rules">Who may have written it.</param>
    /// <param name="cancellation">Stops between ranks and records.</param>
    /// <exception cref="CheckpointException">HandlesNotFound, HandlesUnsafe, HandlesMalformed, SourceUnsupported.</exception>
    internal static HandlesFile Read(string path, FileRules rules, CancellationToken cancellation)
    {
        string full = System.IO.Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            return HandlesDirectory.Read(full, rules, cancellation);
        }

        using IDiskFile file = rules.TryOpen(full) ?? throw NotFound(path);
        return Parse(file, cancellation);
    }

    /// <summary>Reads one open file; its owner and mode are the caller's affair.</summary>
    /// <exception cref="CheckpointException">HandlesMalformed, SourceUnsupported.</exception>
    internal static HandlesFile Parse(IDiskFile file, CancellationToken cancellation)
    {
        Span<byte> first = stackalloc byte[1];
        // No torch container begins with a brace: a zip begins with "PK", a pickle with 0x80.
        bool isJson = file.Read(first, 0) == 1 && first[0] is (byte)'{' or (byte)' ' or (byte)'\n';
        return isJson ? HandlesJson.Read(file, cancellation) : TorchHandles.Read(file, cancellation);
    }

    /// <summary>The old program's sentence, which people search for.</summary>
    internal static CheckpointException NotFound(string path) =>
        new(
            CheckpointError.HandlesNotFound,
            $"Weight handles not found: {path}. Is vLLM running with the export hook?",
            "start vLLM with --load-format apollo, or name the file: --handles PATH"
        );

    /// <summary>The file says something that is not allowed.</summary>
    internal static CheckpointException Malformed(string path, string what, Exception? inner = null) =>
        new(
            CheckpointError.HandlesMalformed,
            $"{path} {what}",
            "name what the hook wrote: --handles PATH; if this is it, restart the producer, which writes it anew",
            inner
        );
}
