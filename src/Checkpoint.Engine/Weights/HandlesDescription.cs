using System.Globalization;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Archive;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.Engine.Weights.HostMemory;

namespace ApolloCheckpoint.Engine.Weights;

/// <summary>What <c>apollo-checkpoint handles FILE</c> shows: what the file says, with nothing opened and nothing executed.</summary>
/// <param name="Path">The file or folder.</param>
/// <param name="Format">"json", "zip" or "legacy".</param>
/// <param name="Tensors">In the order of the file.</param>
/// <param name="Unsafe">Why a sync would refuse the file (owner or mode), or null.</param>
internal sealed record HandlesDescription(string Path, string Format, IReadOnlyList<TensorDescription> Tensors, string? Unsafe)
{
    private const int Window = 1 << 20;

    /// <summary>Bytes digested of any file, however small; beyond it, at most <see cref="MostRepeats"/> times what its memory holds.</summary>
    private const long LeastDigested = 64L << 20;
    private const long MostRepeats = 4;

    /// <summary>Describes a file, also one that a sync would refuse for its owner or mode: looking is how one finds out why.</summary>
    /// <param name="path">A handles file, a version 2 folder, or a torch archive.</param>
    /// <param name="handlesOwner">One more owner that a sync would take, or null.</param>
    /// <param name="digest">Whether to read the bytes of archive and file tensors and digest them.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="CheckpointException">HandlesNotFound, HandlesMalformed, SourceUnsupported; with digest SourceUnavailable and HandlesUnsafe.</exception>
    internal static HandlesDescription Describe(string path, string? handlesOwner, bool digest, CancellationToken cancellation)
    {
        FileRules rules = FileRules.For(handlesOwner);
        string full = System.IO.Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            HandlesFile folder = HandlesDirectory.Read(full, rules, cancellation);
            return Describe(folder, null, digest ? HostMemorySource.Open(folder, rules) : null, cancellation);
        }

        using ForeignFile found = ForeignFile.TryOpen(full) ?? throw HandlesFile.NotFound(path);
        string? why = WhyUnsafe(rules, found, full);
        using IDiskFile file =
            found.Entry.Kind == FileEntryKind.File ? found.TakeFile() : throw HandlesFile.Malformed(full, "is no regular file");
        HandlesFile handles = HandlesFile.Parse(file, cancellation);
        bool isJson = handles.Format == HandlesFormat.Json;
        IWeightSource? source =
            !digest ? null
            : isJson ? HostMemorySource.Open(handles, rules)
            : new TorchArchiveSource(handles, file);
        return Describe(handles, why, source, cancellation);
    }

    /// <summary>The JSON of <c>--json</c>. Fields may be added, never renamed.</summary>
    internal string ToJson()
    {
        using MemoryStream buffer = new();
        // Names are shown as they are, not as \u escapes; this is no HTML.
        JsonWriterOptions options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (Utf8JsonWriter json = new(buffer, options))
        {
            json.WriteStartObject();
            json.WriteString("format", Format);
            json.WriteStartArray("tensors");
            foreach (TensorDescription tensor in Tensors)
            {
                Write(json, tensor);
            }

            json.WriteEndArray();
            if (Unsafe is not null)
            {
                json.WriteString("refused", Unsafe);
            }

            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Write(Utf8JsonWriter json, TensorDescription tensor)
    {
        json.WriteStartObject();
        json.WriteString("name", tensor.Name);
        json.WriteString("source", tensor.Source);
        json.WriteString("dtype", tensor.Dtype);
        WriteNumbers(json, "shape", tensor.Shape);
        WriteNumbers(json, "stride", tensor.Stride);
        json.WriteNumber("storageOffset", tensor.StorageOffset);
        if (int.TryParse(tensor.Device, CultureInfo.InvariantCulture, out int index))
        {
            json.WriteNumber("device", index);
        }
        else
        {
            json.WriteString("device", tensor.Device);
        }

        json.WriteString("allocation", tensor.Allocation);
        json.WriteNumber("allocationOffset", tensor.AllocationOffset);
        json.WriteNumber("extent", tensor.Extent);
        json.WriteString("record", tensor.Record);
        if (tensor.Sha256 is not null)
        {
            json.WriteString("sha256", tensor.Sha256);
        }

        json.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IReadOnlyList<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (long number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    private static HandlesDescription Describe(HandlesFile handles, string? why, IWeightSource? source, CancellationToken cancellation)
    {
        using (source)
        {
            if (source is not null)
            {
                EnsureFewRepeats(handles);
            }

            List<TensorDescription> tensors = [];
            for (int i = 0; i < handles.Tensors.Count; i++)
            {
                // A source lists its tensors in the order of its handles.
                string? sha256 = source is null ? null : Digest(source, source.Tensors[i], handles.Tensors[i], cancellation);
                tensors.Add(TensorDescription.Of(handles.Tensors[i], sha256));
            }

            string format = handles.Format switch
            {
                HandlesFormat.Json => "json",
                HandlesFormat.TorchZip => "zip",
                _ => "legacy",
            };
            return new HandlesDescription(handles.Path, format, tensors, why);
        }
    }

    /// <summary>Strides of 0 and shared storages make exabytes out of a small file; nobody waits for their digest.</summary>
    private static void EnsureFewRepeats(HandlesFile handles)
    {
        Int128 held = handles.Allocations.Aggregate((Int128)0, (sum, allocation) => sum + allocation.Size);
        Int128 asked = handles.Tensors.Aggregate((Int128)0, (sum, tensor) => sum + tensor.Layout.ByteLength);
        if (asked > LeastDigested + held * MostRepeats)
        {
            throw new CheckpointException(
                CheckpointError.HandlesMalformed,
                $"{handles.Path} has tensors of {asked} bytes in {held} bytes of memory: they repeat the same bytes, and are not digested",
                "leave --digest out"
            );
        }
    }

    private static string? Digest(IWeightSource source, LiveTensor live, HandleTensor tensor, CancellationToken cancellation)
    {
        if (tensor.Allocation is not null and not { Kind: AllocationKind.File or AllocationKind.Record })
        {
            return null;
        }

        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] window = new byte[(int)Math.Min(live.ByteLength, Window)];
        for (long done = 0; done < live.ByteLength; done += window.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            Span<byte> part = window.AsSpan(0, (int)Math.Min(window.Length, live.ByteLength - done));
            source.Read(live, done, part);
            hash.AppendData(part);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string? WhyUnsafe(FileRules rules, ForeignFile found, string path)
    {
        try
        {
            rules.Check(found, path);
            return null;
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.HandlesUnsafe)
        {
            return e.Message;
        }
    }
}
