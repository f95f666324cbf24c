namespace ApolloCheckpoint.TestKit;

/// <summary>
/// The device memory of a producer, as the stand-in driver sees it: a file a block, in a folder a device, named after the 64 bytes of its
/// handle. What a test writes into the file is live at once; a file that is gone is a producer that is gone.
/// </summary>
/// <param name="folder">Where; made when it is not there.</param>
public sealed class FakeCudaMemory(string folder)
{
    private const int HandleBytes = 64;

    /// <summary>The setting that shows it to the stand-in.</summary>
    public string Setting => $"FAKE_CUDA_MEMORY={folder}";

    /// <summary>The folder.</summary>
    public string Folder => folder;

    /// <summary>A new block with these bytes.</summary>
    /// <returns>Its handle.</returns>
    public byte[] Allocate(ReadOnlySpan<byte> content, int device = 0)
    {
        byte[] handle = new byte[HandleBytes];
        Random.Shared.NextBytes(handle);
        Put(handle, content, device);
        return handle;
    }

    /// <summary>A block of that handle.</summary>
    public void Put(ReadOnlySpan<byte> handle, ReadOnlySpan<byte> content, int device = 0)
    {
        string path = PathOf(handle, device);
        Directory.CreateDirectory(Path.GetDirectoryName(path) ?? folder);
        File.WriteAllBytes(path, content);
    }

    /// <summary>The file of a block.</summary>
    public string PathOf(ReadOnlySpan<byte> handle, int device = 0) => Path.Combine(folder, $"{device}", Convert.ToHexStringLower(handle));
}
