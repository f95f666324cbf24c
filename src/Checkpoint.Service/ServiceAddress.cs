using System.Net.Sockets;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Service;

/// <summary>Addresses that a service may listen on: <c>http://127.0.0.1:5180</c>, <c>http://localhost:0</c>, <c>http://unix:/run/engine.sock</c>.</summary>
public static class ServiceAddress
{
    private const string SocketPrefix = "http://unix:";

    /// <summary>The path of a Unix socket's address, or null when it is another one.</summary>
    public static string? SocketOf(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.StartsWith(SocketPrefix, StringComparison.OrdinalIgnoreCase) ? address[SocketPrefix.Length..] : null;
    }

    /// <summary>The address, if a service may listen there.</summary>
    /// <exception cref="CheckpointException">Usage: no http address of this machine.</exception>
    internal static string Check(string address)
    {
        if (SocketOf(address) is { } path ? Path.IsPathRooted(path) : IsLoopback(address))
        {
            return address;
        }

        throw new CheckpointException(
            CheckpointError.Usage,
            $"{address} is not an http address of this machine alone",
            "listen on http://127.0.0.1:5180 or http://unix:/path; from elsewhere through ssh -L 5180:127.0.0.1:5180"
        );
    }

    /// <summary>A socket that nobody listens on any more is left by a process that was killed, and would refuse the new one.</summary>
    internal static void RemoveStaleSockets(string addresses)
    {
        foreach (string path in addresses.Split(';').Select(SocketOf).OfType<string>().Where(File.Exists))
        {
            using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                probe.Connect(new UnixDomainSocketEndPoint(path));
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
            {
                File.Delete(path);
            }
        }
    }

    /// <summary>Only this user may connect: whoever can, needs no token.</summary>
    internal static void KeepSocketsPrivate(string addresses)
    {
        foreach (string path in addresses.Split(';').Select(SocketOf).OfType<string>())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    private static bool IsLoopback(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && uri.Scheme == "http" && ServiceGuard.IsLoopbackName(uri.Host);
}
