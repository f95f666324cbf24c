using ApolloCheckpoint.Service;
using Microsoft.Extensions.Configuration;

namespace ApolloCheckpoint.AppHost;

/// <summary>
/// What is meant where nothing is configured. Without a model it is a demo: a small live model in a folder of its own, synced every few
/// seconds and shipped to the folder beside it.
/// </summary>
/// <param name="IsDemo">Whether there is no model.</param>
/// <param name="Model">The model directory.</param>
/// <param name="Handles">What the hook published.</param>
/// <param name="Every">Time from one sync to the next.</param>
/// <param name="Target">Where the off-site copy goes.</param>
/// <param name="StateFolder">The folder of the services: token, history of runs.</param>
internal sealed record Defaults(bool IsDemo, string Model, string Handles, string Every, string Target, string StateFolder)
{
    /// <summary>The token that all services share.</summary>
    public string TokenFile => Path.Combine(StateFolder, "token");

    /// <summary>Reads the configuration.</summary>
    public static Defaults Of(IConfiguration configuration)
    {
        if (configuration["Parameters:model-dir"] is { Length: > 0 } model)
        {
            string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(model)));
            return new Defaults(false, model, "/tmp/vllm_weight_handles.pt", "10m", $"moria:models/{name}", ServiceFolder.Default);
        }

        string demo =
            configuration["Parameters:demo-folder"] ?? Path.Combine(Path.GetTempPath(), $"apollo-checkpoint-demo-{Environment.UserName}");
        string Inside(string part) => Path.Combine(demo, part);
        return new Defaults(true, Inside("model"), Inside("live"), "20s", Inside("moria"), Inside("state"));
    }
}
