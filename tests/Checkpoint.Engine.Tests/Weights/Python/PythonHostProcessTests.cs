using System.Diagnostics;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Python;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Python;

[Collection(PythonCollection.Name)]
[Trait("Ring", "python")]
public sealed class PythonHostProcessTests(PythonSamples samples)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [SkippableFact]
    public void Python_is_in_the_child_and_not_in_this_process()
    {
        using PythonWeightSource source = PythonForTests.Open(samples["types.pt"], trust: true);
        Assert.Contains("libpython3", File.ReadAllText($"/proc/{source.HostProcessId}/maps"), StringComparison.Ordinal);
        Assert.DoesNotContain("libpython3", File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Private_memory_of_the_child_does_not_grow_with_the_tensor()
    {
        long small = PrivateAfterReading("types.pt");
        long big = PrivateAfterReading("big.pt");
        // The tensor has 300 MB. What torch itself takes is in both.
        Assert.True(big < small + 64_000_000, $"{small} bytes with a small tensor, {big} with 300 MB");
    }

    [SkippableFact]
    public void Death_of_the_child_is_an_error_of_every_reader_and_leaves_nothing()
    {
        using PythonWeightSource source = PythonForTests.Open(samples["big.pt"], trust: true);
        using Process child = Process.GetProcessById(source.HostProcessId);
        LiveTensor tensor = source.Tensors[0];
        Task<CheckpointException>[] readers = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(() => ReadUntilItFails(source, tensor)))];
        Thread.Sleep(100);
        child.Kill();
        Assert.True(Task.WaitAll(readers, Patience));
        Assert.All(
            readers,
            reader =>
            {
                Assert.Equal((CheckpointError.SourceUnavailable, 11), (reader.Result.Error, reader.Result.ExitCode));
                Assert.Contains("killed by signal 9", reader.Result.Message, StringComparison.Ordinal);
            }
        );
        Assert.DoesNotContain("apollo-windows", string.Join('\n', Directory.GetFiles("/dev/shm")), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Windows_give_the_same_bytes_where_the_system_does_not_show_the_memory_of_the_child()
    {
        PythonInterpreter interpreter = PythonInterpreter.Find(PythonForTests.Require(), default);
        using HostProcess host = HostProcess.Start(PythonForTests.ToolCommand);
        HostOpenReply reply = host.Open(interpreter, new HostSourceRequest(samples["calls.pt"], "calls.pt", null), default);
        byte[] live = File.ReadAllBytes(samples["live.bin"]);
        byte[] read = new byte[live.Length];
        byte[] fetched = new byte[1000];

        Assert.Equal("w", reply.Tensors![0].Name);
        Assert.True(host.TryRead(0, 0, read));
        host.Fetch(0, 998, 1002, 2, fetched);
        Assert.Equal(live, read);
        Assert.Equal(live[1000..2000], fetched);
    }

    [SkippableFact]
    public void File_that_is_cut_short_behind_a_tensor_is_an_error_of_the_reader_and_the_next_read_can_succeed()
    {
        using TempDirectory folder = TempDirectory.InMemory();
        ContractTensor tensor = ContractTensor.Of("w", ElementType.BF16, 1, 1024, 1024);
        string handles = HandlesText.Write(folder.Path, HandlesText.Publish(folder.Path, [tensor]));
        using PythonWeightSource source = PythonForTests.Open(handles, trust: false);
        byte[] buffer = new byte[source.Tensors[0].ByteLength];
        using FileStream memory = File.OpenWrite(folder.File("rank0.weights"));
        long length = memory.Length;

        memory.SetLength(4096);
        CheckpointException gone = Assert.Throws<CheckpointException>(() => source.Read(source.Tensors[0], 0, buffer));
        memory.SetLength(length);
        source.Read(source.Tensors[0], 0, buffer);

        Assert.Equal(CheckpointError.SourceUnavailable, gone.Error);
        Assert.Contains("tensor \"w\" cannot be read", gone.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Signals_that_are_meant_for_the_whole_group_do_not_end_the_child()
    {
        using PythonWeightSource source = PythonForTests.Open(samples["types.pt"], trust: true);
        foreach (string signal in new[] { "-INT", "-TERM", "-HUP" })
        {
            using Process kill = Process.Start("kill", [signal, source.HostProcessId.ToString()]);
            kill.WaitForExit();
        }

        Thread.Sleep(300);
        byte[] bytes = new byte[source.Tensors[0].ByteLength];
        source.Read(source.Tensors[0], 0, bytes);
        Assert.Contains(bytes, value => value != 0);
    }

    [SkippableFact]
    public void Disposal_ends_the_child()
    {
        PythonWeightSource source = PythonForTests.Open(samples["types.pt"], trust: true);
        int id = source.HostProcessId;
        source.Dispose();
        Assert.False(Directory.Exists($"/proc/{id}"));
    }

    [SkippableFact]
    public void Child_whose_parent_is_gone_ends_by_itself_even_while_Python_sleeps()
    {
        // A child of its own, spoken to directly, because the parent that dies must not be this process.
        PythonInterpreter interpreter = PythonInterpreter.Find(PythonForTests.Require(), default);
        using SharedWindows windows = SharedWindows.Create(2);
        ProcessStartInfo start = new(PythonForTests.ToolCommand[0], [.. PythonForTests.ToolCommand.Skip(1), PythonHostMain.Verb])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using Process child = Process.Start(start)!;
        HostChannel channel = new(child.StandardOutput.BaseStream, child.StandardInput.BaseStream);
        HostOpenRequest request = new(
            HostChannel.Protocol,
            windows.PathForChild,
            windows.Bytes,
            interpreter,
            new HostSourceRequest(samples["sleeps.pt"], "sleeps.pt", null)
        );
        channel.Write(HostMessage.Open, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(request, PythonJson.Default.HostOpenRequest));
        Thread.Sleep(2000);
        child.StandardInput.Close();
        Assert.True(child.WaitForExit(Patience));
    }

    [SkippableFact]
    public async Task Cancelling_while_torch_opens_ends_at_once_and_takes_the_child_along()
    {
        using CancellationTokenSource cancellation = new();
        SyncRequest request = PythonForTests.Request(samples["sleeps.pt"], trust: true);
        Task opening = Task.Run(() => PythonWeightSource.Open(request, cancellation.Token).Dispose());
        cancellation.CancelAfter(TimeSpan.FromSeconds(3));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening.WaitAsync(Patience));
    }

    [SkippableFact]
    public void Verb_typed_by_hand_says_what_it_is_for()
    {
        ProcessStartInfo start = new(PythonForTests.ToolCommand[0], [.. PythonForTests.ToolCommand.Skip(1), PythonHostMain.Verb])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        using Process child = Process.Start(start)!;
        child.StandardInput.Close();
        Assert.Contains("started by apollo-checkpoint itself", child.StandardError.ReadToEnd(), StringComparison.Ordinal);
        Assert.True(child.WaitForExit(Patience));
        Assert.Equal(2, child.ExitCode);
    }

    private static CheckpointException ReadUntilItFails(PythonWeightSource source, LiveTensor tensor)
    {
        byte[] buffer = new byte[8 << 20];
        try
        {
            while (true)
            {
                source.Read(tensor, 0, buffer);
            }
        }
        catch (CheckpointException e)
        {
            return e;
        }
    }

    /// <summary>Anonymous memory of the child (RssAnon of /proc/PID/status), bytes, after every byte was read.</summary>
    private long PrivateAfterReading(string file)
    {
        using PythonWeightSource source = PythonForTests.Open(samples[file], trust: true);
        byte[] buffer = new byte[8 << 20];
        foreach (LiveTensor tensor in source.Tensors)
        {
            for (long offset = 0; offset < tensor.ByteLength; offset += buffer.Length)
            {
                source.Read(tensor, offset, buffer.AsSpan(0, (int)Math.Min(buffer.Length, tensor.ByteLength - offset)));
            }
        }

        string line = File.ReadLines($"/proc/{source.HostProcessId}/status")
            .Single(text => text.StartsWith("RssAnon", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2]) * 1024;
    }
}
