using Microsoft.Playwright;
using Xunit;

namespace ApolloCheckpoint.AppHost.Tests;

/// <summary>The dashboard in a real browser, as the operator has it.</summary>
internal sealed class Dashboard : IAsyncDisposable
{
    private const string Program = "/usr/bin/chromium";

    // A dashboard on a busy machine takes its time.
    private const float Patience = 180_000;

    private readonly IPlaywright playwright;
    private readonly IBrowser browser;

    private Dashboard(IPlaywright playwright, IBrowser browser, IPage page)
    {
        this.playwright = playwright;
        this.browser = browser;
        Page = page;
    }

    /// <summary>Whether there is a browser on this machine.</summary>
    internal static bool IsPossible => File.Exists(Program);

    internal IPage Page { get; }

    internal static async Task<Dashboard> OpenAsync(Uri address)
    {
        IPlaywright playwright = await Playwright.CreateAsync();
        IBrowser browser = await playwright.Chromium.LaunchAsync(
            new()
            {
                ExecutablePath = Program,
                Args =
                [
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--no-first-run",
                ],
            }
        );
        IPage page = await browser.NewPageAsync(
            new()
            {
                ViewportSize = new() { Width = 1280, Height = 720 },
            }
        );
        page.SetDefaultTimeout(Patience);
        page.SetDefaultNavigationTimeout(Patience);
        await page.GotoAsync(address.ToString());
        return new Dashboard(playwright, browser, page);
    }

    /// <summary>The row of a resource.</summary>
    internal ILocator Row(string resource) => Page.Locator("tr").Filter(new() { Has = Page.GetByTitle($"Project: {resource}") }).First;

    /// <summary>Waits until a resource is running and healthy: for one that is not, the dashboard says so in place of the word.</summary>
    internal async Task WaitUntilHealthyAsync(string resource) =>
        await Assertions
            .Expect(Row(resource).GetByTitle("Running", new() { Exact = true }).First)
            .ToBeVisibleAsync(new() { Timeout = Patience });

    /// <summary>Presses a command of a resource; the dashboard calls it by its description.</summary>
    internal Task PressAsync(string resource, string description) =>
        Row(resource).GetByTitle(description, new() { Exact = true }).First.ClickAsync();

    /// <summary>A picture for people, where somebody asked for pictures.</summary>
    internal async Task KeepPictureAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("APOLLO_PICTURES") is { Length: > 0 } folder)
        {
            await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png") });
        }
    }

    public async ValueTask DisposeAsync()
    {
        await browser.DisposeAsync();
        playwright.Dispose();
    }
}
