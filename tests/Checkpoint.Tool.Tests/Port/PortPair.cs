using System.Diagnostics;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.Tool.Tests.Processes;

namespace ApolloCheckpoint.Tool.Tests.Port;

/// <summary>
/// The same model twice, and one live copy of it whose handles the old program understands: calls of torch.from_file, pickled. One
/// directory is synced by the old program, the other by ours.
/// </summary>
internal sealed class PortPair : IDisposable
{
    /// <summary>Blocks enough that the old program's numbers are not all 0.0; more than one chunk in the first.</summary>
    private static readonly TinyTensor[] Tensors =
    [
        new("model.embed_tokens.weight", ElementType.BF16, 1536, 1024),
        new("model.layers.0.mlp.down_proj.weight", ElementType.BF16, 512, 1024),
        new("model.norm.weight", ElementType.F32, 1000),
        new("lm_head.weight", ElementType.BF16, 300, 700),
    ];

    private readonly TempDirectory temp = new();

    private PortPair() => LivePath = temp.Folder("live");

    /// <summary>The directory that the old program syncs.</summary>
    public string Old => temp.File("old");

    /// <summary>The directory that ours syncs.</summary>
    public string New => temp.File("new");

    /// <summary>The folder with the live tensors, a file each.</summary>
    public string LivePath { get; }

    /// <summary>The handles file.</summary>
    public string Handles => Path.Combine(LivePath, "handles.pt");

    /// <summary>A tiny model; one shard gives model.safetensors without an index.</summary>
    public static PortPair Tiny(int shards)
    {
        PortPair pair = new();
        TinyModel model = TinyModel.Write(pair.Old, Tensors, shards: shards);
        TinyModel.Write(pair.New, Tensors, shards: shards);
        List<string> calls = [];
        foreach (TinyTensor tensor in Tensors)
        {
            string file = Path.Combine(pair.LivePath, tensor.Name + ".bin");
            File.WriteAllBytes(file, model.BytesOf(tensor.Name));
            (string type, int width) = tensor.Type == ElementType.BF16 ? ("bfloat16", 2) : ("float32", 4);
            calls.Add($"('{tensor.Name}', '{file}', torch.{type}, {tensor.ByteLength / width})");
        }

        string script = $$"""
            import functools, torch
            handles = {}
            for name, file, dtype, elements in [{{string.Join(", ", calls)}}]:
                handles[name] = {"handle": (functools.partial(torch.from_file, dtype=dtype), (file, True, elements))}
            torch.save(handles, "{{pair.Handles}}")
            """;
        Programs.MustRun(Programs.RequireTorch(), "-c", script);
        return pair;
    }

    /// <summary>The model of the old program's own script: one layer, 109 MB.</summary>
    public static PortPair Made()
    {
        PortPair pair = new();
        Programs.MustRun(Programs.RequireTorch(), Path.Combine(Programs.OldFolder, "mkmodel.py"), pair.Old, pair.LivePath, "0.05");
        Directory.CreateDirectory(pair.New);
        foreach (string file in Directory.EnumerateFiles(pair.Old))
        {
            File.Copy(file, Path.Combine(pair.New, Path.GetFileName(file)));
        }

        return pair;
    }

    /// <summary>Changes one element in a share of the live blocks.</summary>
    public void Train(string share) =>
        Programs.MustRun(Programs.RequireTorch(), Path.Combine(Programs.OldFolder, "perturb.py"), LivePath, share, "7");

    /// <summary>Runs the old program on its directory.</summary>
    public ToolRun RunOld(string? handles = null, int blockSize = 4096)
    {
        ProcessStartInfo start = new(Programs.RequireOld(), Arguments(handles, Old, blockSize));
        start.Environment["PYTHON3"] = Programs.RequireTorch();
        return Programs.Run(start);
    }

    /// <summary>Runs ours on its own.</summary>
    public ToolRun RunNew(string? handles = null, int blockSize = 4096) => ToolProcess.Run(NewArguments(handles, blockSize));

    /// <summary>The command line of ours that does what the old program's does.</summary>
    public string[] NewArguments(string? handles = null, int blockSize = 4096) =>
        [
            .. Arguments(handles, New, blockSize),
            "--source",
            "python",
            "--python",
            Programs.RequireTorch(),
            "--trust-pickle",
            "--output",
            "classic",
        ];

    /// <summary>Every file of a model directory with its bytes in hexadecimal digest, our own folder left out.</summary>
    public static IReadOnlyList<(string Name, string Digest)> Content(string directory) =>
        [
            .. Directory
                .EnumerateFileSystemEntries(directory)
                .Where(path => Path.GetFileName(path) != ".apollo")
                .Order(StringComparer.Ordinal)
                .Select(path =>
                    (Path.GetFileName(path), Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path))))
                ),
        ];

    public void Dispose() => temp.Dispose();

    private string[] Arguments(string? handles, string model, int blockSize) =>
        ["sync", "--handles", handles ?? Handles, "--model-dir", model, "--block-size", $"{blockSize}"];
}
