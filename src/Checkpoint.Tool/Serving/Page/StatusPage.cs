using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ApolloCheckpoint.Tool.Serving.Page;

/// <summary>
/// Serves the status page. It loads nothing from anywhere else and runs no script but its own file, and the browser is told to hold it
/// to that; no other page may show it in a frame.
/// </summary>
internal sealed class StatusPage(ModelView view, EngineRuns runs, TimeProvider time, string? tokenFile)
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private const int UsualRows = 30;
    private readonly HeatMapCache pictures = new(view);

    /// <summary>Adds the page and its files.</summary>
    public void Map(IEndpointRouteBuilder app)
    {
        RouteGroupBuilder page = app.MapGroup("").ExcludeFromDescription();
        page.MapGet("/", (HttpContext context, long? version, int? rows) => Page(context, version, rows));
        page.MapGet("/picture", (HttpContext context, long version) => Picture(context, version));
        page.MapGet("/page.css", context => File(context, "page.css", "text/css; charset=utf-8"));
        page.MapGet("/page.js", context => File(context, "page.js", "text/javascript; charset=utf-8"));
        page.MapGet("/icon.svg", context => File(context, "icon.svg", "image/svg+xml"));
    }

    /// <summary>Draws the page once, so that the first visitor need not wait for headers to be read and code to be compiled.</summary>
    public void Warm() => _ = PageHtml.Document(State(null, null), pictures);

    /// <summary>The state that a view shows.</summary>
    internal PageState State(long? version, int? rows)
    {
        IReadOnlyList<VersionEntry> versions = view.Versions();
        return new PageState
        {
            Status = StatusReader.Read(view, runs, versions),
            Versions = versions,
            Runs = runs.All(),
            Chosen = versions.FirstOrDefault(entry => entry.Header.Version == version) ?? (versions.Count > 0 ? versions[0] : null),
            Rows = Math.Clamp(rows ?? UsualRows, 1, 10_000),
            TokenFile = tokenFile,
            Time = time,
        };
    }

    private Task Page(HttpContext context, long? version, int? rows) => Html(context, PageHtml.Document(State(version, rows), pictures));

    private Task Picture(HttpContext context, long version)
    {
        VersionEntry? entry = view.Versions().FirstOrDefault(entry => entry.Header.Version == version);
        return Html(context, entry is null ? HtmlText.Paragraph($"version {version} is not kept") : pictures.Html(entry));
    }

    private static Task Html(HttpContext context, string html)
    {
        Protect(context, "text/html; charset=utf-8");
        return context.Response.WriteAsync(html);
    }

    private static async Task File(HttpContext context, string name, string type)
    {
        Protect(context, type);
        await using Stream file =
            Assembly.GetExecutingAssembly().GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} is not embedded");
        await file.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private static void Protect(HttpContext context, string type)
    {
        IHeaderDictionary headers = context.Response.Headers;
        context.Response.ContentType = type;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }
}
