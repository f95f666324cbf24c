using System.Diagnostics;

namespace ApolloCheckpoint.Tool.Tests.Processes;

/// <summary>A folder mounted over itself, read-only: root, too, cannot write there.</summary>
internal sealed class ReadOnlyMount : IDisposable
{
    private readonly string path;

    private ReadOnlyMount(string path) => this.path = path;

    /// <summary>Mounts it, or null where that is not permitted.</summary>
    public static ReadOnlyMount? TryOver(string path)
    {
        if (!Call("mount", "--bind", path, path))
        {
            return null;
        }

        ReadOnlyMount mount = new(path);
        if (Call("mount", "-o", "remount,bind,ro", path))
        {
            return mount;
        }

        mount.Dispose();
        return null;
    }

    public void Dispose() => Call("umount", path);

    private static bool Call(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
