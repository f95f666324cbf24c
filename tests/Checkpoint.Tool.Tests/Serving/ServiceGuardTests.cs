using System.Net;
using System.Text.Json;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Service;
using ApolloCheckpoint.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ApolloCheckpoint.Tool.Tests.Serving;

/// <summary>Real listeners: what reaches the service from programs, pages and other names.</summary>
public sealed class ServiceGuardTests : IAsyncLifetime, IDisposable
{
    private readonly TempDirectory temp = new();
    private readonly CancellationTokenSource end = new();
    private readonly List<Task> running = [];

    [Fact]
    public async Task Reading_needs_no_token()
    {
        using HttpClient client = Plain(await StartAsync("http://127.0.0.1:0"));
        Assert.Equal("read", await client.GetStringAsync("/thing"));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/alive")).StatusCode);
    }

    [Fact]
    public async Task Changing_something_needs_the_token_and_the_refusal_says_where_it_is()
    {
        string address = await StartAsync("http://127.0.0.1:0");
        using HttpClient client = Plain(address);
        using HttpResponseMessage refused = await client.PostAsync("/thing", null);
        Assert.Equal((HttpStatusCode.Unauthorized, "Bearer"), (refused.StatusCode, refused.Headers.WwwAuthenticate.ToString()));
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType?.MediaType);
        JsonElement problem = JsonDocument.Parse(await refused.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal("urn:apollo-checkpoint:error:1803", problem.GetProperty("type").GetString());
        Assert.Equal(("RequestRefused", 18), (problem.GetProperty("code").GetString(), problem.GetProperty("exitCode").GetInt32()));
        Assert.Contains(TokenFile, problem.GetProperty("next").GetString());

        using HttpClient knowing = ServiceClient.Create(address, TokenFile);
        Assert.Equal(HttpStatusCode.OK, (await knowing.PostAsync("/thing", null)).StatusCode);
    }

    [Theory]
    [InlineData("evil.example", null, null)] // a name that was pointed at 127.0.0.1
    [InlineData("localhost.evil.example", null, null)]
    [InlineData(null, "https://evil.example", "cross-site")] // a page of somebody else
    [InlineData(null, "http://127.0.0.1:1", "same-site")] // another service of this machine
    [InlineData(null, "null", "cross-site")] // a sandboxed frame
    [InlineData(null, null, "cross-site")] // a form of somebody else
    public async Task Foreign_pages_and_names_are_refused_even_with_the_token(string? host, string? origin, string? site)
    {
        string address = await StartAsync("http://127.0.0.1:0");
        using HttpClient client = ServiceClient.Create(address, TokenFile);
        using HttpRequestMessage request = new(HttpMethod.Post, "/thing");
        request.Headers.Host = host;
        Add(request, "Origin", origin);
        Add(request, "Sec-Fetch-Site", site);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.SendAsync(request)).StatusCode);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST:5180")]
    [InlineData("engine.dev.localhost")]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]:80")]
    public async Task Names_of_this_machine_are_taken(string host)
    {
        using HttpClient client = Plain(await StartAsync("http://127.0.0.1:0"));
        using HttpRequestMessage request = new(HttpMethod.Get, "/thing");
        request.Headers.Host = host;
        Assert.Equal(HttpStatusCode.OK, (await client.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Own_page_with_the_token_may_ask()
    {
        string address = await StartAsync("http://127.0.0.1:0");
        using HttpClient client = ServiceClient.Create(address, TokenFile);
        using HttpRequestMessage request = new(HttpMethod.Post, "/thing");
        Add(request, "Origin", address);
        Add(request, "Sec-Fetch-Site", "same-origin");
        Assert.Equal(HttpStatusCode.OK, (await client.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Unix_socket_needs_no_token_and_lets_only_its_user_in()
    {
        string path = temp.File("engine.sock");
        await StartAsync($"http://unix:{path}");
        using HttpClient client = ServiceClient.Create($"http://unix:{path}", temp.File("no token"));
        Assert.Equal(HttpStatusCode.OK, (await client.PostAsync("/thing", null)).StatusCode);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public async Task Socket_of_a_killed_service_does_not_stand_in_the_way()
    {
        string path = temp.File("engine.sock");
        using (System.Net.Sockets.Socket left = new(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, default))
        {
            left.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(path + ".old"));
            // Closing removes the name that it was bound to; a killed process closes nothing.
            File.Move(path + ".old", path);
        }

        Assert.True(File.Exists(path));
        await StartAsync($"http://unix:{path}");
    }

    [Fact]
    public async Task Open_service_needs_no_token_but_still_refuses_foreign_pages()
    {
        using HttpClient client = Plain(await StartAsync("http://127.0.0.1:0", isOpen: true));
        Assert.Equal(HttpStatusCode.OK, (await client.PostAsync("/thing", null)).StatusCode);
        using HttpRequestMessage foreign = new(HttpMethod.Post, "/thing");
        Add(foreign, "Origin", "https://evil.example");
        Assert.Equal(HttpStatusCode.Forbidden, (await client.SendAsync(foreign)).StatusCode);
    }

    [Theory]
    [InlineData("http://0.0.0.0:5180")]
    [InlineData("http://*:5180")]
    [InlineData("http://10.0.0.5:5180")]
    [InlineData("https://127.0.0.1:5180")]
    [InlineData("http://unix:relative.sock")]
    [InlineData("nonsense")]
    public void Only_addresses_of_this_machine_are_listened_on(string url) =>
        Assert.Equal(
            CheckpointError.Usage,
            Assert.Throws<CheckpointException>(() => ServiceHost.CreateBuilder(new ServiceOptions("t", "", url))).Error
        );

    [Fact]
    public async Task Address_that_is_taken_is_an_error_with_a_next_step()
    {
        string address = await StartAsync("http://127.0.0.1:0");
        CheckpointException taken = await Assert.ThrowsAsync<CheckpointException>(() => StartAsync(address));
        Assert.Equal(CheckpointError.ListenFailed, taken.Error);
        Assert.Contains("--url", taken.Next);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await end.CancelAsync();
        await Task.WhenAll(running);
    }

    public void Dispose()
    {
        end.Dispose();
        temp.Dispose();
    }

    private string TokenFile => temp.File("token");

    private async Task<string> StartAsync(string url, bool isOpen = false)
    {
        ServiceOptions options = new("test", "", url, TokenFile, isOpen);
        WebApplication app = ServiceHost.Build(ServiceHost.CreateBuilder(options), options);
        app.MapGet("/thing", () => "read");
        app.MapPost("/thing", () => TypedResults.Ok());
        TaskCompletionSource started = new();
        app.Lifetime.ApplicationStarted.Register(started.SetResult);
        Task run = ServiceHost.RunAsync(app, options, end.Token);
        await await Task.WhenAny(started.Task, run);
        running.Add(run);
        return app.Urls.First();
    }

    private static HttpClient Plain(string address) => new() { BaseAddress = new Uri(address) };

    private static void Add(HttpRequestMessage request, string name, string? value)
    {
        if (value is not null)
        {
            request.Headers.Add(name, value);
        }
    }
}
