using System.Net.Sockets;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Service;

/// <summary>A client of a service: shows the token, and reaches Unix sockets, too.</summary>
public static class ServiceClient
{
    /// <summary>A client for the service at an address.</summary>
    /// <param name="address">As in <see cref="ServiceAddress"/>.</param>
    /// <param name="tokenFile">The token's file, or null: <see cref="ServiceToken.DefaultPath"/>. Read when it is needed, again each time.</param>
    /// <exception cref="CheckpointException">Usage: no http address.</exception>
    public static HttpClient Create(string address, string? tokenFile = null)
    {
        string? socket = ServiceAddress.SocketOf(address);
        if (
            !Uri.TryCreate(socket is null ? address : "http://localhost", UriKind.Absolute, out Uri? uri)
            || uri.Scheme is not ("http" or "https")
        )
        {
            throw new CheckpointException(CheckpointError.Usage, $"{address} is no http address", "for example http://127.0.0.1:5180");
        }

        SocketsHttpHandler handler = new();
        if (socket is not null)
        {
            handler.ConnectCallback = async (_, cancel) =>
            {
                Socket connection = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancel);
                    return new NetworkStream(connection, ownsSocket: true);
                }
                catch
                {
                    connection.Dispose();
                    throw;
                }
            };
        }

        // A run is followed by requests of half a minute; no request is longer.
        return new HttpClient(new ShowToken(tokenFile, handler)) { BaseAddress = uri, Timeout = TimeSpan.FromMinutes(2) };
    }

    /// <summary>Adds the token where something changes. No token is no failure here: an open service wants none, another one says so.</summary>
    private sealed class ShowToken(string? file, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Method != HttpMethod.Get && request.Headers.Authorization is null && File.Exists(file ?? ServiceToken.DefaultPath))
            {
                request.Headers.Authorization = ServiceToken.Read(file).Header;
            }

            return base.SendAsync(request, cancellationToken);
        }
    }
}
