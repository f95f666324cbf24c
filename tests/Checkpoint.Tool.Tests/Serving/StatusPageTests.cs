using System.Net;
using System.Text;
using Microsoft.Playwright;

namespace ApolloCheckpoint.Tool.Tests.Serving;

/// <summary>The status page in a real browser.</summary>
[Trait("Ring", "browser")]
public sealed class StatusPageTests(PageBrowser browser) : IClassFixture<PageBrowser>
{
    private const string Newest = "+document.getElementById('page').dataset.newest";

    [SkippableTheory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(400, ColorScheme.Dark)]
    public async Task State_is_seen_in_one_look_at_any_width_in_light_and_dark(int width, ColorScheme scheme)
    {
        await using PageVisit visit = await browser.OpenAsync(width: width, scheme: scheme);
        Assert.Contains("version", await visit.TextAsync("h1"));
        Assert.True(await visit.Page.Locator(".heat rect").CountAsync() > 0, "the picture has cells");
        Assert.Equal(2, await visit.Page.Locator(".chart path.line").CountAsync());
        Assert.InRange(await visit.Page.Locator("section:has(#versions) tbody tr").CountAsync(), 3, 30);
        int overflow = await visit.Page.EvaluateAsync<int>("document.documentElement.scrollWidth - window.innerWidth");
        Assert.True(overflow <= 0, $"{overflow} px wider than the window");
        string paper = await visit.Page.EvaluateAsync<string>("getComputedStyle(document.documentElement).backgroundColor");
        Assert.Equal(scheme == ColorScheme.Dark ? "rgb(21, 24, 28)" : "rgb(255, 254, 250)", paper);
        await visit.KeepPictureAsync($"page-{width}-{scheme.ToString().ToLowerInvariant()}");
    }

    [SkippableFact]
    public async Task Nothing_is_asked_of_anybody_else_and_the_policy_is_kept()
    {
        await using PageVisit visit = await browser.OpenAsync();
        int before = await visit.Page.EvaluateAsync<int>(Newest) - 1;
        await visit.Page.Locator("#version").PressAsync("ArrowLeft");
        await visit.UntilAsync($"document.getElementById('picture').textContent.includes('version {before}:')");
        Assert.All(visit.Asked, url => Assert.StartsWith(browser.Engine.Address, url));
        Assert.Empty(visit.Complaints);
        using HttpResponseMessage page = await browser.Engine.Client.GetAsync("/");
        string policy = string.Join(' ', page.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'", policy);
        Assert.DoesNotContain("unsafe", policy);
    }

    [SkippableFact]
    public async Task Sync_now_asks_for_the_token_once_and_the_page_shows_the_version_by_itself()
    {
        await using PageVisit visit = await browser.OpenAsync();
        int before = await visit.Page.EvaluateAsync<int>(Newest);
        browser.Model.Train();
        await visit.Page.ClickAsync("#sync");
        await visit.Page.WaitForSelectorAsync("#ask[open]");
        await visit.KeepPictureAsync("page-token");
        await visit.Page.FillAsync("#token", browser.Token);
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.UntilAsync($"{Newest} === {before + 1}");
        Assert.StartsWith($"in order: version {before + 1} ·", await visit.TextAsync("h1"));

        browser.Model.Train();
        await visit.Page.ClickAsync("#sync");
        await visit.UntilAsync($"{Newest} === {before + 2}");
    }

    [SkippableFact]
    public async Task Link_with_the_token_gives_the_right_and_leaves_no_trace_in_the_address()
    {
        await using PageVisit visit = await browser.OpenAsync($"/#token={browser.Token}");
        await visit.UntilAsync("location.hash === ''");
        int before = await visit.Page.EvaluateAsync<int>(Newest);
        browser.Model.Train();
        await visit.Page.FocusAsync("#sync");
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.UntilAsync($"{Newest} === {before + 1}");
        Assert.DoesNotContain(visit.Asked, url => url.Contains(browser.Token, StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task Wrong_token_is_said_and_asked_for_again()
    {
        await using PageVisit visit = await browser.OpenAsync("/#token=wrong");
        await visit.Page.ClickAsync("#sync");
        await visit.Page.WaitForSelectorAsync("#ask[open]");
        Assert.Equal("the token was not taken", await visit.TextAsync("#said"));
        await visit.Page.Keyboard.PressAsync("Escape");
        Assert.Equal(0, await visit.Page.Locator("#ask[open]").CountAsync());
    }

    [SkippableFact]
    public async Task Version_that_the_command_line_made_appears_by_itself()
    {
        await using PageVisit visit = await browser.OpenAsync();
        int before = await visit.Page.EvaluateAsync<int>(Newest);
        browser.Model.Train();
        browser.Model.Run("sync");
        await visit.UntilAsync($"{Newest} === {before + 1}");
    }

    [SkippableFact]
    public async Task Page_of_somebody_else_cannot_start_a_sync_even_from_this_machine()
    {
        Skip.If(PageBrowser.Program is null, "no chromium on this machine");
        int before = browser.Engine.Said.Length;
        using HttpListener other = new();
        string address = Listen(other);
        string script =
            $"<script>Promise.allSettled([fetch('{browser.Engine.Address}/sync',{{method:'POST',mode:'no-cors'}}),"
            + $"fetch('{browser.Engine.Address}/sync',{{method:'POST',headers:{{Authorization:'Bearer {browser.Token}'}}}})])"
            + ".then(()=>document.title='tried')</script>";
        Task answering = AnswerAsync(other, script);
        await using PageVisit visit = await browser.OpenAsync();
        await visit.Page.GotoAsync(address);
        await visit.UntilAsync("document.title === 'tried'");
        await answering;
        Assert.DoesNotContain("started, asked by program", browser.Engine.Said[before..]);
    }

    [SkippableFact]
    public async Task Everything_is_there_without_the_script()
    {
        await using PageVisit visit = await browser.OpenAsync("/?version=2", script: false);
        Assert.Contains("version 2", await visit.TextAsync("#picture"));
        Assert.Contains("--to 2 --output FOLDER", await visit.TextAsync("#restore"));
        Assert.False(await visit.Page.IsVisibleAsync("#sync"), "a button that does nothing is not shown");
        Assert.True(await visit.Page.Locator(".heat rect").CountAsync() > 0);
        await visit.Page.ClickAsync("section:has(#versions) a >> text='1'");
        Assert.Contains("version 1", await visit.TextAsync("#picture"));
    }

    [SkippableFact]
    public async Task Readers_of_screens_find_names_headings_and_tables()
    {
        await using PageVisit visit = await browser.OpenAsync();
        IPage page = visit.Page;
        Assert.Equal(1, await page.GetByRole(AriaRole.Main).CountAsync());
        Assert.Equal(1, await page.GetByRole(AriaRole.Heading, new() { Level = 1 }).CountAsync());
        Assert.Equal(5, await page.GetByRole(AriaRole.Heading, new() { Level = 2 }).CountAsync());
        Assert.Equal(1, await page.GetByRole(AriaRole.Button, new() { Name = "Sync now" }).CountAsync());
        Assert.Equal(1, await page.GetByRole(AriaRole.Slider, new() { Name = "version" }).CountAsync());
        Assert.Equal(3, await page.GetByRole(AriaRole.Img).CountAsync());
        // What was said, and the number of the chosen version: both are read out when they change.
        Assert.Equal(2, await page.GetByRole(AriaRole.Status).CountAsync());
        await page.ClickAsync("summary");
        Assert.True(await page.GetByRole(AriaRole.Rowheader).CountAsync() > 3);
        string unnamed = await page.EvaluateAsync<string>(
            "[...document.querySelectorAll('button,input,a,[role=img]')].filter(e => e.offsetParent && !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).map(e => e.outerHTML).join()"
        );
        Assert.Equal("", unnamed);
    }

    private static string Listen(HttpListener listener)
    {
        for (int port = 20_000 + Environment.ProcessId % 10_000; ; port++)
        {
            listener.Prefixes.Clear();
            listener.Prefixes.Add($"http://127.0.0.1:{port}/");
            try
            {
                listener.Start();
                return listener.Prefixes.Single();
            }
            catch (HttpListenerException) when (port < 65_000)
            {
                // Taken: the next one.
            }
        }
    }

    private static async Task AnswerAsync(HttpListener listener, string html)
    {
        HttpListenerContext context = await listener.GetContextAsync();
        context.Response.ContentType = "text/html";
        await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(html));
        context.Response.Close();
    }
}
