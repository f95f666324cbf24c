using Microsoft.Playwright;

namespace ApolloCheckpoint.Tool.Tests.Serving;

/// <summary>One window on the page; keeps what it asked for and what it complained about.</summary>
internal sealed class PageVisit : IAsyncDisposable
{
    private readonly IBrowserContext context;

    public PageVisit(IBrowserContext context, IPage page)
    {
        this.context = context;
        Page = page;
        page.Request += (_, request) => Asked.Add(request.Url);
        page.Console += (_, message) => Complaints.AddRange(message.Type is "error" or "warning" ? [message.Text] : Array.Empty<string>());
        page.PageError += (_, error) => Complaints.Add(error);
    }

    /// <summary>The page.</summary>
    public IPage Page { get; }

    /// <summary>Every address that was asked for.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>Errors of script and policy.</summary>
    public List<string> Complaints { get; } = [];

    /// <summary>The text of an element.</summary>
    public async Task<string> TextAsync(string selector) => await Page.TextContentAsync(selector) ?? "";

    /// <summary>Waits until an expression of the page is true. Asked from outside: the page's policy forbids eval, and so WaitForFunction.</summary>
    public async Task UntilAsync(string expression)
    {
        for (int tries = 0; !await Page.EvaluateAsync<bool>(expression); tries++)
        {
            Assert.True(tries < 1200, $"never came true: {expression}\n{string.Join('\n', Complaints)}");
            await Task.Delay(100);
        }
    }

    /// <summary>A picture for people, where somebody asked for pictures.</summary>
    public async Task KeepPictureAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("APOLLO_PICTURES") is { Length: > 0 } folder)
        {
            await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = true });
        }
    }

    public async ValueTask DisposeAsync() => await context.DisposeAsync();
}
