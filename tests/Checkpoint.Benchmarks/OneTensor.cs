using System.Text.Json.Nodes;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>Handles of one tensor of bytes, "w", that takes all of one allocation.</summary>
internal static class OneTensor
{
    internal const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes them where only this user reaches them.</summary>
    /// <param name="folder">Where; becomes private.</param>
    /// <param name="allocation">What is special of the allocation; its id and size are added.</param>
    /// <param name="bytes">Its size.</param>
    /// <returns>The handles file.</returns>
    public static string Publish(TempDirectory folder, JsonObject allocation, long bytes)
    {
        allocation["id"] = 0;
        allocation["size"] = bytes;
        JsonObject tensor = new()
        {
            ["name"] = "w",
            ["alloc"] = 0,
            ["offset"] = 0,
            ["dtype"] = "U8",
            ["shape"] = new JsonArray(bytes),
        };
        JsonObject handles = new()
        {
            ["format"] = "apollo-handles",
            ["version"] = 2,
            ["allocations"] = new JsonArray(allocation),
            ["tensors"] = new JsonArray(tensor),
        };
        File.SetUnixFileMode(folder.Path, Private | UnixFileMode.UserExecute);
        string path = folder.File("weights.json");
        File.WriteAllText(path, handles.ToJsonString());
        File.SetUnixFileMode(path, Private);
        return path;
    }
}
