using System.Diagnostics;
using System.Globalization;

namespace ApolloCheckpoint.TestKit;

/// <summary>A file system of a few kilobytes, in memory, that can really be full.</summary>
public sealed class SmallDisk : IDisposable
{
    private SmallDisk(string path) => Path = path;

    /// <summary>Where it is mounted.</summary>
    public string Path { get; }

    /// <summary>Bytes left.</summary>
    public long Free => new DriveInfo(Path).AvailableFreeSpace;

    /// <summary>Mounts it, or null where that is not permitted.</summary>
    public static SmallDisk? TryMount(string path, int kilobytes)
    {
        Directory.CreateDirectory(path);
        string size = string.Create(CultureInfo.InvariantCulture, $"size={kilobytes}k");
        return Call("mount", "-t", "tmpfs", "-o", size, "tmpfs", path) ? new SmallDisk(path) : null;
    }

    /// <summary>Gives it another size.</summary>
    public void Resize(int kilobytes) =>
        Call("mount", "-o", string.Create(CultureInfo.InvariantCulture, $"remount,size={kilobytes}k"), Path);

    /// <summary>Unmounts it.</summary>
    public void Dispose() => Call("umount", Path);

    private static bool Call(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
