using System.Buffers.Binary;

namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>
/// Messages over two pipes: length of the payload (4 bytes, little-endian), kind (1 byte), payload. Safe for several threads, each side:
/// one message is read or written at a time.
/// </summary>
internal sealed class HostChannel(Stream incoming, Stream outgoing)
{
    /// <summary>Version of the protocol; both ends are one program, so another number means two programs were mixed.</summary>
    internal const int Protocol = 1;

    private const int HeaderBytes = 5;

    /// <summary>Longest payload: a list of some hundred thousand tensors.</summary>
    private const int MaxPayload = 256 << 20;

    private readonly Lock reading = new();
    private readonly Lock writing = new();

    /// <summary>Writes one message with one call, so that it is never cut between two threads.</summary>
    /// <exception cref="IOException">The other end is gone.</exception>
    internal void Write(HostMessage kind, ReadOnlySpan<byte> payload)
    {
        byte[] message = new byte[HeaderBytes + payload.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, payload.Length);
        message[4] = (byte)kind;
        payload.CopyTo(message.AsSpan(HeaderBytes));
        lock (writing)
        {
            outgoing.Write(message);
            outgoing.Flush();
        }
    }

    /// <summary>Waits for one message.</summary>
    /// <returns>Kind and payload, or null: the other end has closed.</returns>
    /// <exception cref="InvalidDataException">Not our protocol.</exception>
    /// <exception cref="IOException">The pipe broke.</exception>
    internal (HostMessage Kind, byte[] Payload)? TryRead()
    {
        lock (reading)
        {
            Span<byte> header = stackalloc byte[HeaderBytes];
            int read = incoming.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false);
            if (read < HeaderBytes)
            {
                return null;
            }

            int length = BinaryPrimitives.ReadInt32LittleEndian(header);
            if (length is < 0 or > MaxPayload)
            {
                throw new InvalidDataException($"a message of {length} bytes");
            }

            byte[] payload = new byte[length];
            return incoming.ReadAtLeast(payload, length, throwOnEndOfStream: false) == length ? ((HostMessage)header[4], payload) : null;
        }
    }
}
