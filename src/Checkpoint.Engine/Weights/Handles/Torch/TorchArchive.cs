using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Handles.Pickle;

namespace ApolloCheckpoint.Engine.Weights.Handles.Torch;

/// <summary>What a file of torch.save holds: one object, still in inert nodes, and where the bytes of its storages are.</summary>
/// <param name="Format">Zip or legacy.</param>
/// <param name="Root">The object.</param>
/// <param name="Records">The storages by key.</param>
/// <param name="IsBigEndian">Whether their elements are big-endian.</param>
internal sealed record TorchArchive(
    HandlesFormat Format,
    object? Root,
    IReadOnlyDictionary<string, ArchiveRecord> Records,
    bool IsBigEndian
)
{
    /// <summary>Longest pickle read, bytes.</summary>
    internal const long MaxPickleBytes = 64L << 20;

    /// <summary>Reads either container.</summary>
    /// <exception cref="CheckpointException">HandlesMalformed; SourceUnsupported: handles of the old program's tests.</exception>
    internal static TorchArchive Read(IDiskFile file)
    {
        Span<byte> first = stackalloc byte[4];
        int read = file.Read(first, 0);
        try
        {
            return first[..read] switch
            {
                [(byte)'P', (byte)'K', 3, 4] => TorchZip.Read(file),
                [0x80, ..] => TorchLegacy.Read(file),
                _ => throw new PickleException("is no handles file and no file of torch.save"),
            };
        }
        catch (PickleException e)
        {
            throw HandlesFile.Malformed(file.Path, e.Message, e);
        }
        catch (GlobalRefusedException e)
        {
            throw Refused(file.Path, e.Global);
        }
    }

    private static CheckpointException Refused(string path, PickleGlobal global)
    {
        if (global == PickleGlobals.Partial)
        {
            return new CheckpointException(
                CheckpointError.SourceUnsupported,
                $"{path} holds calls of functools.partial in place of handles; only executing them would tell what they are",
                "if you wrote this file yourself: --source python --trust-pickle"
            );
        }

        bool isTensor = global.Module == "torch._utils" && global.Name.StartsWith("_rebuild", StringComparison.Ordinal);
        return new CheckpointException(
            CheckpointError.HandlesMalformed,
            isTensor
                ? $"{path} holds a kind of tensor that is not read ({global})"
                : $"{path} speaks of {global}, which no file of tensors needs. Nothing was executed",
            isTensor ? "save plain, dense tensors" : "find out who wrote this file before anything else opens it"
        );
    }
}
