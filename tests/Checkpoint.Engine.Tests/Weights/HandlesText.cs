using System.Text.Json.Nodes;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Tests.Weights;

/// <summary>Writes version 2 handles of file allocations, as a JSON tree that a test may still spoil.</summary>
internal static class HandlesText
{
    /// <summary>Writes all tensors into one memory file, 64 bytes of something else before and between them.</summary>
    internal static JsonObject Publish(string folder, IReadOnlyList<ContractTensor> tensors, int rank = 0)
    {
        // Whatever the umask of whoever runs the tests: group-writable would be refused.
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string memory = Path.Combine(folder, $"rank{rank}.weights");
        JsonArray rows = [];
        using (FileStream file = File.Create(memory))
        {
            file.Write(new byte[64]);
            foreach (ContractTensor tensor in tensors)
            {
                rows.Add(Tensor(tensor, file.Position - 64));
                file.Write(tensor.Memory);
                file.Write(Enumerable.Repeat((byte)0xEE, 64).ToArray());
            }
        }

        SetPrivate(memory);
        long size = new FileInfo(memory).Length - 64;
        return new JsonObject
        {
            ["format"] = "apollo-handles",
            ["version"] = 2,
            ["parallel"] = new JsonObject { ["rank"] = rank },
            ["allocations"] = new JsonArray(
                new JsonObject
                {
                    ["id"] = 7,
                    ["kind"] = "file",
                    ["path"] = memory,
                    ["file_offset"] = 64,
                    ["size"] = size,
                }
            ),
            ["tensors"] = rows,
        };
    }

    /// <summary>Writes one rank's file and returns its path.</summary>
    internal static string Write(string folder, JsonNode handles, string name = "weights.rank0.json")
    {
        string path = Path.Combine(folder, name);
        File.WriteAllText(path, handles.ToJsonString());
        SetPrivate(path);
        return path;
    }

    private static void SetPrivate(string path) => File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);

    private static JsonObject Tensor(ContractTensor tensor, long offset) =>
        new()
        {
            ["name"] = tensor.Name,
            ["alloc"] = 7,
            ["offset"] = offset,
            ["dtype"] = tensor.Type.Name(),
            ["shape"] = Numbers(tensor.Shape),
            ["stride"] = Numbers(tensor.Stride),
        };

    private static JsonArray Numbers(long[] numbers) => [.. numbers.Select(number => JsonValue.Create(number))];
}
