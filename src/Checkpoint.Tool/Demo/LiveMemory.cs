using ApolloCheckpoint.Engine.Model;
using Microsoft.Win32.SafeHandles;

namespace ApolloCheckpoint.Tool.Demo;

/// <summary>
/// The memory of the demo producer: a file in /dev/shm (or a plain file where that is small) that holds the parameters one after the
/// other. Read and written by position, so that a reader's mapping sees every change at once.
/// </summary>
internal sealed class LiveMemory : IDisposable
{
    private const int Window = 1 << 20;
    private readonly SafeFileHandle file;

    private LiveMemory(string path, SafeFileHandle file, IReadOnlyList<LiveParameter> parameters)
    {
        Path = path;
        this.file = file;
        Parameters = parameters;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What stands in it.</summary>
    public IReadOnlyList<LiveParameter> Parameters { get; }

    /// <summary>Bytes of it.</summary>
    public long Length => Parameters.Max(parameter => parameter.Offset + parameter.ByteLength);

    /// <summary>Makes the file and loads the model into it.</summary>
    /// <param name="path">Where; nothing stands there yet.</param>
    /// <param name="model">The model.</param>
    /// <param name="cancel">Stops between windows.</param>
    public static LiveMemory Load(string path, ModelDirectory model, CancellationToken cancel)
    {
        SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite);
        // The rules of handles files: nobody else may write it.
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        LiveMemory memory = new(path, file, LivePlacement.Of(model.Layout));
        foreach (LiveParameter parameter in memory.Parameters)
        {
            long offset = parameter.Offset;
            foreach ((Shard shard, TensorEntry entry) in parameter.Tensors)
            {
                using SafeFileHandle source = File.OpenHandle(shard.FilePath);
                Copy(source, entry.FileOffset, file, offset, entry.ByteLength, cancel);
                offset += entry.ByteLength;
            }
        }

        return memory;
    }

    /// <summary>One step of training: changes scattered elements of every floating-point parameter.</summary>
    /// <param name="share">The share of elements that change.</param>
    /// <param name="dice">Which, and by how much.</param>
    /// <returns>Elements changed.</returns>
    public long Step(double share, Dice dice)
    {
        byte[] window = new byte[Window];
        long changed = 0;
        foreach (LiveParameter parameter in Parameters)
        {
            for (long done = 0; done < parameter.ByteLength; done += Window)
            {
                Span<byte> bytes = window.AsSpan(0, (int)Math.Min(Window, parameter.ByteLength - done));
                RandomAccess.Read(file, bytes, parameter.Offset + done);
                long count = TrainingStep.Apply(bytes, parameter.Type, share, dice);
                if (count > 0)
                {
                    RandomAccess.Write(file, bytes, parameter.Offset + done);
                    changed += count;
                }
            }
        }

        return changed;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private static void Copy(SafeFileHandle from, long fromOffset, SafeFileHandle to, long toOffset, long length, CancellationToken cancel)
    {
        byte[] window = new byte[Window];
        for (long done = 0; done < length; )
        {
            cancel.ThrowIfCancellationRequested();
            int read = RandomAccess.Read(from, window.AsSpan(0, (int)Math.Min(Window, length - done)), fromOffset + done);
            if (read == 0)
            {
                throw new EndOfStreamException("a shard became shorter while it was loaded");
            }

            RandomAccess.Write(to, window.AsSpan(0, read), toOffset + done);
            done += read;
        }
    }
}
