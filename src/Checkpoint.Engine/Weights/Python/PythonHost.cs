using System.Text.Json;
using Python.Runtime;

namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>
/// CPython inside this process, through pythonnet: the only type that touches it. Python is started once and never shut down (with torch
/// that takes seconds); the process leaves by _exit.
/// </summary>
internal sealed class PythonHost(SharedWindows windows)
{
    private HostTensor[] tensors = [];
    private PyObject? fill;

    /// <summary>Embeds the interpreter and opens the source.</summary>
    /// <returns><see cref="HostOpenReply"/> as JSON, failures included.</returns>
    internal byte[] Open(HostOpenRequest request)
    {
        HostOpenReply reply = Embed(request) is { } failure ? new HostOpenReply(null, null, null, failure) : Start(request);
        tensors = [.. reply.Tensors ?? []];
        return JsonSerializer.SerializeToUtf8Bytes(reply, PythonJson.Default.HostOpenReply);
    }

    /// <summary>Has torch copy a piece of a tensor into a window: GPU memory, or elements that do not lie in order.</summary>
    /// <returns>Why it could not, or null.</returns>
    internal HostFailure? Fill(HostRead read)
    {
        HostTensor tensor = tensors[read.Tensor];
        if (read.Length is < 0 or > SharedWindows.WindowBytes || read.ByteOffset < 0 || read.ByteOffset > tensor.Bytes - read.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(read), read, tensor.Name);
        }

        using (Py.GIL())
        {
            try
            {
                using PyObject number = read.Tensor.ToPython();
                using PyObject offset = read.ByteOffset.ToPython();
                using PyObject target = (read.Window * SharedWindows.WindowBytes).ToPython();
                using PyObject length = read.Length.ToPython();
                using PyObject? result = fill?.Invoke(number, offset, target, length);
                return null;
            }
            catch (PythonException e)
            {
                return new HostFailure(
                    "unavailable",
                    $"tensor \"{tensor.Name}\" cannot be read: {e.Message}",
                    "is the producer still running?"
                );
            }
        }
    }

    /// <summary>Starts Python on the calling thread and lets go of its lock, or every other thread would wait for it for good.</summary>
    private static HostFailure? Embed(HostOpenRequest request)
    {
        PythonInterpreter interpreter = request.Interpreter;
        try
        {
            Runtime.PythonDLL = interpreter.Library;
            // Python finds its venv by the program's name. PYTHONHOME would name the base and, set to a venv, abort the process.
            Environment.SetEnvironmentVariable("PYTHONNET_PYEXE", interpreter.Executable);
            PythonEngine.ProgramName = interpreter.Executable;
            PythonEngine.Initialize();
            _ = PythonEngine.BeginAllowThreads();
            return null;
        }
#pragma warning disable CA1031 // pythonnet throws what it finds: bad library, missing symbols, type initialisers.
        catch (Exception e)
#pragma warning restore CA1031
        {
            string message = $"Python {interpreter.Version} ({interpreter.Library}) cannot be embedded: {e.GetBaseException().Message}";
            return new HostFailure("unsupported", message, "take another Python: --python PATH");
        }
    }

    private HostOpenReply Start(HostOpenRequest request)
    {
        using (Py.GIL())
        {
            try
            {
                using PyModule module = PyModule.FromString("apollo_host", HostScript.Text);
                fill = module.GetAttr("fill");
                using PyObject address = ((long)windows.Address).ToPython();
                using PyObject bytes = windows.Bytes.ToPython();
                using PyObject text = JsonSerializer.Serialize(request, PythonJson.Default.HostOpenRequest).ToPython();
                using PyObject reply = module.InvokeMethod("start", address, bytes, text);
                return JsonSerializer.Deserialize(reply.As<string>(), PythonJson.Default.HostOpenReply)
                    ?? throw new JsonException("no reply of host.py");
            }
            catch (PythonException e)
            {
                return new HostOpenReply(null, null, null, new HostFailure("unavailable", e.Message, null));
            }
        }
    }
}
