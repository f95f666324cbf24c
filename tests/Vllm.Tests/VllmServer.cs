using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary><c>vllm serve</c> as users start it: HTTP server, engine core and worker in processes of their own.</summary>
internal sealed class VllmServer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private readonly Process process;
    private readonly HttpClient http;
    private readonly StringBuilder log = new();

    /// <summary>Starts the server and waits until it answers.</summary>
    internal VllmServer(string model, string exportDir, string pythonPath)
    {
        int port = FreePort();
        string[] arguments =
        [
            "-s",
            "-c",
            "from vllm.entrypoints.cli.main import main; main()",
            .. $"serve {model} --served-model-name tiny --load-format apollo --dtype bfloat16 --no-enable-prefix-caching".Split(' '),
            // So that it starts on a small machine: no compilation, no tokenizer, short prompts.
            .. $"--enforce-eager --skip-tokenizer-init --max-model-len 64 --max-num-seqs 4 --host 127.0.0.1 --port {port}".Split(' '),
        ];
        ProcessStartInfo start = VllmEnvironment.Start(exportDir, pythonPath, arguments);
        start.Environment["VLLM_ENABLE_V1_MULTIPROCESSING"] = "1";
        start.Environment["VLLM_CPU_OMP_THREADS_BIND"] = "nobind";
        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = Patience };
        WaitUntilReady();
    }

    /// <summary>What it has logged.</summary>
    internal string Log
    {
        get
        {
            lock (log)
            {
                return log.ToString();
            }
        }
    }

    /// <summary>What it answers now, token by token.</summary>
    internal IReadOnlyList<string> Complete(IEnumerable<int[]> prompts, int tokens) =>
        [.. prompts.Select(prompt => Complete(prompt, tokens))];

    /// <summary>Ends all of its processes as an out-of-memory killer would.</summary>
    internal void Kill()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        process.Dispose();
        http.Dispose();
    }

    private string Complete(int[] prompt, int tokens)
    {
        using HttpResponseMessage answer = http.PostAsJsonAsync(
                "/v1/completions",
                new
                {
                    model = "tiny",
                    prompt,
                    max_tokens = tokens,
                    temperature = 0,
                    ignore_eos = true,
                    return_token_ids = true,
                }
            )
            .GetAwaiter()
            .GetResult();
        string text = answer.Content.ReadAsStringAsync().GetAwaiter().GetResult();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement.GetProperty("choices")[0].GetProperty("token_ids").GetRawText().Replace(" ", "");
    }

    private void WaitUntilReady()
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (!IsReady())
        {
            Assert.False(process.HasExited, $"vllm serve ended\n{Log}");
            Assert.True(waited.Elapsed < Patience, $"vllm serve does not answer\n{Log}");
            Thread.Sleep(200);
        }
    }

    private bool IsReady()
    {
        try
        {
            using HttpResponseMessage answer = http.GetAsync(new Uri("/health", UriKind.Relative)).GetAwaiter().GetResult();
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private void Note(string? line)
    {
        lock (log)
        {
            log.AppendLine(line);
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
