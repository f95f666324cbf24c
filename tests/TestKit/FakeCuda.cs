using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using ApolloCheckpoint.Engine;
using Xunit;

namespace ApolloCheckpoint.TestKit;

/// <summary>
/// The stand-in for NVIDIA's driver (tests/FakeCuda), built with the system's C compiler when it is first wanted. Children get it by
/// LD_LIBRARY_PATH; in this process it takes the driver's place for good. It has one state a process: tests that use it share a collection.
/// </summary>
public static class FakeCuda
{
    /// <summary>Name of the xunit collection of all tests that use it in this process.</summary>
    public const string Collection = "stand-in CUDA driver";

    /// <summary>Device 0, when nothing else is set.</summary>
    public const string DefaultDevice = "GPU-5f3c1d2e-0000-1111-2222-333344445555";

    private const int NoCompiler = 2;
    private const string LibraryName = "libcuda.so.1";
    private static readonly Lazy<string?> Built = new(Build);
    private static readonly Lazy<nint> Loaded = new(Load);

    /// <summary>The folder of the built library; the test is skipped where there is no compiler.</summary>
    /// <exception cref="SkipException">There is no C compiler.</exception>
    public static string LibraryFolder => Built.Value ?? throw new SkipException("no C compiler (cc): apt-get install gcc libc6-dev");

    /// <summary>Puts the stand-in into this process and begins anew with these settings (tests/FakeCuda/README.md).</summary>
    /// <exception cref="SkipException">There is no C compiler.</exception>
    public static unsafe void Setup(params string[] settings)
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Join('\n', settings) + '\0');
        fixed (byte* bytes = text)
        {
            ((delegate* unmanaged<byte*, void>)NativeLibrary.GetExport(Loaded.Value, "fakeCudaSetup"))(bytes);
        }
    }

    /// <summary>What it found and counted since <see cref="Setup"/>; what is open now is found as left open.</summary>
    public static unsafe FakeCudaReport Report()
    {
        byte[] text = new byte[1 << 16];
        fixed (byte* bytes = text)
        {
            ((delegate* unmanaged<byte*, nuint, void>)NativeLibrary.GetExport(Loaded.Value, "fakeCudaReport"))(bytes, (nuint)text.Length);
        }

        return FakeCudaReport.Parse(Encoding.UTF8.GetString(text, 0, Array.IndexOf(text, (byte)0)));
    }

    /// <summary>The library in this process, for calls that our own source never makes.</summary>
    public static nint Handle => Loaded.Value;

    private static nint Load()
    {
        nint library = NativeLibrary.Load(Path.Combine(LibraryFolder, LibraryName));
        NativeLibrary.SetDllImportResolver(typeof(SyncEngine).Assembly, (name, _, _) => name == LibraryName ? library : 0);
        return library;
    }

    /// <summary>Compiles to another name and renames, because test runs of several projects may come here at once.</summary>
    private static string? Build()
    {
        string source = Repository.PathOf("tests", "FakeCuda");
        string folder = Directory.CreateDirectory(Repository.PathOf("artifacts", "fake-cuda")).FullName;
        string library = Path.Combine(folder, LibraryName);
        DateTime newest = Directory.EnumerateFiles(source).Max(File.GetLastWriteTimeUtc);
        if (File.Exists(library) && File.GetLastWriteTimeUtc(library) > newest)
        {
            return folder;
        }

        string made = string.Create(CultureInfo.InvariantCulture, $"{library}.{Environment.ProcessId}");
        using Process build = Process.Start("bash", [Path.Combine(source, "build.sh"), made]);
        build.WaitForExit();
        if (build.ExitCode == NoCompiler)
        {
            return null;
        }

        File.Move(made, library, overwrite: true);
        return folder;
    }
}
