using System.Security.Cryptography;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using Microsoft.Win32.SafeHandles;

namespace ApolloCheckpoint.Tool.Demo;

/// <summary>
/// Checks the demo's claims with nothing of the engine's own work: plain reads, SHA-256, and a byte by byte comparison with the
/// producer's memory.
/// </summary>
internal static class ModelWitness
{
    /// <summary>One digest over all safetensors files of a directory, names included; empty when there is no such directory.</summary>
    public static string Digest(string directory)
    {
        if (!Directory.Exists(directory))
        {
            return "";
        }

        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string path in Directory.EnumerateFiles(directory, "*.safetensors").Order(StringComparer.Ordinal))
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(Path.GetFileName(path)));
            hash.AppendData(File.ReadAllBytes(path));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Whether every tensor of the files is, byte by byte, what stands in the producer's memory.</summary>
    /// <param name="directory">The model directory.</param>
    /// <param name="memoryPath">The producer's memory.</param>
    public static bool HoldsWhatIsLive(string directory, string memoryPath)
    {
        ModelDirectory model = ModelDirectory.Open(Disk.Instance, directory);
        using SafeFileHandle memory = File.OpenHandle(memoryPath);
        foreach (LiveParameter parameter in LivePlacement.Of(model.Layout))
        {
            long offset = parameter.Offset;
            foreach ((Shard shard, TensorEntry entry) in parameter.Tensors)
            {
                using SafeFileHandle file = File.OpenHandle(shard.FilePath);
                byte[] onDisk = new byte[entry.ByteLength];
                byte[] live = new byte[entry.ByteLength];
                if (
                    RandomAccess.Read(file, onDisk, entry.FileOffset) != onDisk.Length
                    || RandomAccess.Read(memory, live, offset) != live.Length
                    || !onDisk.AsSpan().SequenceEqual(live)
                )
                {
                    return false;
                }

                offset += entry.ByteLength;
            }
        }

        return true;
    }
}
