using ApolloCheckpoint.Tool.Tests.Processes;
using Microsoft.Playwright;

namespace ApolloCheckpoint.Tool.Tests.Serving;

/// <summary>A real Chromium, and a real engine that has made three versions; for all tests of the page.</summary>
public sealed class PageBrowser : IAsyncLifetime
{
    private static readonly string[] Flags =
    [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ];

    private IPlaywright? playwright;
    private IBrowser? browser;

    /// <summary>The system's browser: Playwright's own cannot always be downloaded.</summary>
    public static string? Program => Array.Find(["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"], File.Exists);

    internal LiveModel Model { get; } = new();

    internal RunningEngine Engine { get; private set; } = null!;

    /// <summary>The secret of the engine.</summary>
    internal string Token => File.ReadAllText(Path.Combine(Model.Beside("state"), "token")).Trim();

    public async Task InitializeAsync()
    {
        if (Program is null)
        {
            return;
        }

        for (int version = 0; version < 3; version++)
        {
            Model.Train();
            Model.Run("sync");
        }

        Engine = await RunningEngine.StartAsync(Model);
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Program, Args = Flags });
    }

    public async Task DisposeAsync()
    {
        if (browser is not null)
        {
            await browser.DisposeAsync();
        }

        playwright?.Dispose();
        Engine?.Dispose();
        Model.Dispose();
    }

    /// <summary>A fresh window: no cookies, no storage.</summary>
    internal async Task<PageVisit> OpenAsync(
        string path = "/",
        int width = 1280,
        ColorScheme scheme = ColorScheme.Light,
        bool script = true
    )
    {
        Skip.If(Program is null, "no chromium on this machine (Debian: apt-get install chromium)");
        IBrowserContext context = await browser!.NewContextAsync(
            new()
            {
                ViewportSize = new() { Width = width, Height = 900 },
                ColorScheme = scheme,
                JavaScriptEnabled = script,
            }
        );
        context.SetDefaultTimeout(120_000);
        PageVisit visit = new(context, await context.NewPageAsync());
        await visit.Page.GotoAsync(Engine.Address + path);
        return visit;
    }
}
