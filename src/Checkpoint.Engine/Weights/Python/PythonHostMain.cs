using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using ApolloCheckpoint.Engine.Storage;
using Microsoft.Win32.SafeHandles;

namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>
/// The child's end: <c>apollo-checkpoint source-host</c>, started by <see cref="HostProcess"/> and by nobody else. It talks over the pipes
/// that it finds as standard input and output, and lives until its input ends, which it also does when the parent dies.
/// </summary>
internal static class PythonHostMain
{
    /// <summary>The tool's hidden verb.</summary>
    internal const string Verb = "source-host";

    /// <summary>torch imports deeply.</summary>
    private const int StackBytes = 16 << 20;

    /// <summary>Serves the parent; never returns while it lives.</summary>
    /// <returns>The exit code: 2, started by hand or by another version.</returns>
    internal static int Run(string[] args)
    {
        // Ctrl-C reaches the whole foreground group, and a service manager stops all its processes at once. The parent decides what that
        // means, and takes this process with it.
        PosixSignal[] signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP];
        PosixSignalRegistration[] ignored = [.. signals.Select(signal => PosixSignalRegistration.Create(signal, Ignore))];
        HostChannel channel = TakePipes();
        if (args.Length > 0 || channel.TryRead() is not (HostMessage.Open, byte[] payload))
        {
            Console.Error.WriteLine($"{Verb} is started by apollo-checkpoint itself, for --source python");
            return 2;
        }

        HostOpenRequest? request = JsonSerializer.Deserialize(payload, PythonJson.Default.HostOpenRequest);
        if (request is not { Protocol: HostChannel.Protocol })
        {
            Console.Error.WriteLine($"{Verb}: another version of the protocol");
            return 2;
        }

        SharedWindows windows = SharedWindows.Open(request.WindowsPath, request.WindowsBytes);
        PythonHost host = new(windows);
        // One thread a window, and none less: one of them always waits for input while torch is being imported, and so sees it end.
        for (int i = 0; i < windows.Count; i++)
        {
            new Thread(() => Serve(channel, host), StackBytes) { IsBackground = true }.Start();
        }

        channel.Write(HostMessage.Opened, host.Open(request));
        Thread.Sleep(Timeout.Infinite);
        GC.KeepAlive(ignored);
        return 0;
    }

    private static void Ignore(PosixSignalContext signal) => signal.Cancel = true;

    /// <summary>
    /// Moves the pipes away from standard input and output, and puts nothing and the error stream in their place: whatever Python prints
    /// must not get among the messages.
    /// </summary>
    private static HostChannel TakePipes()
    {
        const int LowestFree = 3;
        SafeFileHandle input = new(Libc.Fcntl(0, Libc.F_DUPFD_CLOEXEC, LowestFree), ownsHandle: true);
        SafeFileHandle output = new(Libc.Fcntl(1, Libc.F_DUPFD_CLOEXEC, LowestFree), ownsHandle: true);
        using DescriptorHandle nothing = new(Libc.Open("/dev/null", Libc.O_RDONLY | Libc.O_CLOEXEC, 0));
        if (Libc.Dup2(nothing.Value, 0) < 0 || Libc.Dup2(2, 1) < 0)
        {
            throw new IOException($"dup2: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        }

        return new HostChannel(new FileStream(input, FileAccess.Read, 0), new FileStream(output, FileAccess.Write, 0));
    }

    /// <summary>Takes requests and answers them; all threads run this loop. Leaves with the process.</summary>
    private static void Serve(HostChannel channel, PythonHost host)
    {
        try
        {
            while (channel.TryRead() is (HostMessage.Read, byte[] payload))
            {
                HostRead read = HostRead.Parse(payload);
                HostFailure? failure = host.Fill(read);
                Answer(channel, read.Window, failure);
            }

            Libc.ExitNow(0);
        }
#pragma warning disable CA1031 // Whatever it is, the parent must see this process end.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Console.Error.WriteLine(e);
            Libc.ExitNow(1);
        }
    }

    private static void Answer(HostChannel channel, int window, HostFailure? failure)
    {
        byte[] reason = failure is null ? [] : JsonSerializer.SerializeToUtf8Bytes(failure, PythonJson.Default.HostFailure);
        byte[] answer = new byte[sizeof(int) + reason.Length];
        BinaryPrimitives.WriteInt32LittleEndian(answer, window);
        reason.CopyTo(answer, sizeof(int));
        channel.Write(failure is null ? HostMessage.Filled : HostMessage.Failed, answer);
    }
}
