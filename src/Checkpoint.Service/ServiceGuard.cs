using System.Net;
using System.Net.Sockets;
using ApolloCheckpoint.Engine;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace ApolloCheckpoint.Service;

/// <summary>
/// Decides who may ask. Three rules, in this order:
/// <list type="number">
/// <item>The request comes from this machine and names it: a page whose own name was pointed at 127.0.0.1 (DNS rebinding) does not.</item>
/// <item>A browser says which page asks; only our own may, so that no page of somebody else starts anything.</item>
/// <item>What changes something shows the token. Not on a Unix socket, whose mode keeps others away, and not with <c>--open</c>.</item>
/// </list>
/// </summary>
/// <param name="token">The token, or null: open to everybody on this machine.</param>
public sealed class ServiceGuard(ServiceToken? token)
{
    /// <summary>Lets a request through, or answers it with 401 or 403.</summary>
    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        HttpRequest request = context.Request;
        bool isSocket = context.Features.Get<IConnectionSocketFeature>()?.Socket.AddressFamily == AddressFamily.Unix;
        if (!isSocket && !IsThisMachine(context))
        {
            return Refuse(
                context,
                StatusCodes.Status403Forbidden,
                $"\"{request.Host}\" is not a name of this machine, or the request comes from another one",
                "use http://127.0.0.1 or http://localhost; from elsewhere through ssh -L"
            );
        }

        if (!IsOwnPage(request))
        {
            return Refuse(
                context,
                StatusCodes.Status403Forbidden,
                "a page of another origin asked",
                "only the status page itself, and programs, may ask"
            );
        }

        bool isRead = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        if (isRead || isSocket || token is null || token.Fits(request.Headers.Authorization))
        {
            return next(context);
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        return Refuse(
            context,
            StatusCodes.Status401Unauthorized,
            "the request does not show the token",
            $"send Authorization: Bearer and what stands in {token.FilePath}"
        );
    }

    private static bool IsThisMachine(HttpContext context) =>
        (context.Connection.RemoteIpAddress is not { } from || IPAddress.IsLoopback(from)) && IsLoopbackName(context.Request.Host.Host);

    /// <summary>Names that no name server can point elsewhere (RFC 6761 keeps .localhost), and addresses of the loopback.</summary>
    internal static bool IsLoopbackName(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));

    /// <summary>Programs send neither header. A link that was followed says "none" or "cross-site", and only reads.</summary>
    private static bool IsOwnPage(HttpRequest request)
    {
        bool isRead = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        bool isOrigin =
            request.Headers.Origin.Count == 0
            || string.Equals(request.Headers.Origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
        bool isSite = request.Headers["Sec-Fetch-Site"].ToString() is "" or "same-origin" or "none";
        return isOrigin && (isSite || isRead);
    }

    private static Task Refuse(HttpContext context, int status, string what, string next) =>
        ServiceProblem.Of(new CheckpointException(CheckpointError.RequestRefused, what, next), status).ExecuteAsync(context);
}
