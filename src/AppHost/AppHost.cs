using ApolloCheckpoint.AppHost;

// The whole pipeline: engine, periodic trigger, off-site copy; and, where no model is named, a small live one to watch it on.
IDistributedApplicationBuilder builder = DistributedApplication.CreateBuilder(args);
Defaults defaults = Defaults.Of(builder.Configuration);
Parameter model = builder.AddSetting("model-dir", defaults.Model, "The model directory: the checkpoint itself");
Parameter handles = builder.AddSetting("handles", defaults.Handles, "What the hook in vLLM published");
Parameter every = builder.AddSetting("every", defaults.Every, "Time from one sync to the next");
Parameter target = builder.AddSetting("offsite-target", defaults.Target, "HOST:PATH of the off-site copy, or an absolute path");

Project offsite = builder
    .AddProject<Projects.Rsync_Job>("offsite", launchProfileName: null)
    .WithArgs("--model-dir", model.Resource, "--target", target.Resource, "--at", "03:30", "--deltas")
    .AsService(defaults, "CloudArrowUp", 5182)
    .WithRun("back-up-now", "Back up now", "/run?what=copy", "CloudArrowUp", "Ship the model to the other host now")
    .WithRun("restore-drill", "Restore drill", "/run?what=drill", "ShieldCheckmark", "Fetch a random part back and compare it");

Project engine = builder
    .AddProject<Projects.Checkpoint_Tool>("engine", launchProfileName: null)
    .WithArgs("serve", "--model-dir", model.Resource, "--handles", handles.Resource)
    .AsService(defaults, "DatabaseArrowUp", 5180)
    .WithStatusPage(defaults)
    .WithReference(offsite)
    .WithRun("sync-now", "Sync now", "/sync?by=dashboard", "ArrowSync", "Bring the live weights into the files now", isMain: true)
    .WithRun("verify", "Verify", "/verify?by=dashboard", "CheckmarkCircle", "Read files and journal, compare them with their digests")
    .WithRun("fold", "Fold", "/fold?by=dashboard", "Layer", "Bring the files up to the newest version");
offsite.WaitForStart(engine);

Project trigger = builder
    .AddProject<Projects.Checkpoint_Tool>("trigger", launchProfileName: null)
    .WithArgs("trigger", "--every", every.Resource)
    .AsService(defaults, "Timer", 5181)
    .WithReference(engine)
    .WaitFor(engine)
    .WithRelationship(engine.Resource, "asks")
    .WithRun("pause", "Pause", "/pause", "Pause", "No sync until it is resumed")
    .WithRun("resume", "Resume", "/resume", "Play", "Go on with the schedule");

if (defaults.IsDemo)
{
    Project producer = builder
        .AddProject<Projects.Checkpoint_Tool>("demo-producer", launchProfileName: null)
        .WithArgs("demo-producer", "--model-dir", model.Resource, "--handles", handles.Resource)
        .WithIconName("BrainCircuit");
    offsite.WithFirstCopy(defaults.Model);
    engine.WaitForStart(producer).WithRelationship(producer.Resource, "reads");
}

builder.StartAgainWhatCrashed();
builder.Build().Run();
