// The whole pipeline: engine, periodic trigger, nightly off-site copy; and, where no model is named, a small live one.
IDistributedApplicationBuilder builder = DistributedApplication.CreateBuilder(args);
string? configuredModel = builder.Configuration["Parameters:model-dir"];
string demo =
    builder.Configuration["Parameters:demo-folder"] ?? Path.Combine(Path.GetTempPath(), $"apollo-checkpoint-demo-{Environment.UserName}");
string model = configuredModel ?? Path.Combine(demo, "model");
string handles =
    builder.Configuration["Parameters:handles"] ?? (configuredModel is null ? Path.Combine(demo, "live") : "/tmp/vllm_weight_handles.pt");
string every = builder.Configuration["Parameters:every"] ?? (configuredModel is null ? "20s" : "10m");
string target = builder.Configuration["Parameters:offsite-target"] ?? (configuredModel is null ? Path.Combine(demo, "moria") : "");

IResourceBuilder<ProjectResource> engine = builder
    .AddProject<Projects.Checkpoint_Tool>("engine", launchProfileName: null)
    .WithArgs("serve", "--model-dir", model, "--handles", handles)
    .WithHttpEndpoint(name: "http")
    .WithHttpHealthCheck("/health")
    .WithUrlForEndpoint("http", url => url.DisplayText = "Status page")
    .WithHttpCommand(
        "/sync",
        "Sync now",
        commandName: "sync-now",
        commandOptions: new HttpCommandOptions
        {
            IconName = "ArrowSync",
            IsHighlighted = true,
            ResultMode = HttpCommandResultMode.Auto,
            PrepareRequest = request =>
            {
                request.Request.Headers.Authorization = ApolloCheckpoint.Service.ServiceToken.Read().Header;
                return Task.CompletedTask;
            },
        }
    );

if (configuredModel is null)
{
    IResourceBuilder<ProjectResource> producer = builder
        .AddProject<Projects.Checkpoint_Tool>("demo-producer", launchProfileName: null)
        .WithArgs("demo-producer", "--model-dir", model, "--handles", handles);
    engine.WaitForStart(producer);
}

IResourceBuilder<ProjectResource> trigger = builder
    .AddProject<Projects.Checkpoint_Tool>("trigger", launchProfileName: null)
    .WithArgs("trigger", "--every", every)
    .WithReference(engine)
    .WaitFor(engine);
trigger.WithParentRelationship(engine);

builder
    .AddProject<Projects.Rsync_Job>("offsite", launchProfileName: null)
    .WithArgs(["--model-dir", model, .. target.Length > 0 ? ["--target", target] : Array.Empty<string>()])
    .WaitFor(engine);

builder.Build().Run();
