using System.Text;

namespace ApolloCheckpoint.TestKit;

/// <summary>Handles of GPU memory that lies nowhere, for machines without a GPU.</summary>
public static class CudaHandles
{
    /// <summary>
    /// Writes a version 1 file whose producer lives: process 4242, which made it, is gone, and process 1 stands in. This container has no
    /// checksum.
    /// </summary>
    public static void WriteOfLivingProducer(string path)
    {
        string text = Encoding.Latin1.GetString(
            File.ReadAllBytes(Repository.PathOf("tests", "fixtures", "handles", "good", "cuda_legacy.pt"))
        );
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes(text.Replace("/torch_4242_", "/torch_0001_", StringComparison.Ordinal)));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
