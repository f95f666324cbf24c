using ZstdSharp;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// Packs a body that another encoding prepared, as raw bytes or one zstd frame, whichever is shorter. A zstd context each way is
/// made at its first use, since most chunks need none, and kept for the life of the codec.
/// </summary>
internal sealed class ZstdStage : IDisposable
{
    /// <summary>Form byte of a raw body.</summary>
    public const byte Raw = 0;

    /// <summary>Form byte of a zstd frame.</summary>
    public const byte Frame = 1;

    // On sparse changes level 1 is smaller than the levels up to 19, and the fastest.
    private const int Level = 1;
    private Compressor? compressor;
    private Decompressor? decompressor;

    /// <summary>Packs.</summary>
    /// <param name="body">What to pack.</param>
    /// <param name="output">At least as long as the body.</param>
    /// <returns>The form byte and the bytes written.</returns>
    public (byte Form, int Bytes) Pack(ReadOnlySpan<byte> body, Span<byte> output)
    {
        compressor ??= new Compressor(Level);
        if (!body.IsEmpty && compressor.TryWrap(body, output[..body.Length], out int written) && written < body.Length)
        {
            return (Frame, written);
        }

        body.CopyTo(output);
        return (Raw, body.Length);
    }

    /// <summary>Unpacks.</summary>
    /// <param name="form">The form byte.</param>
    /// <param name="packed">What <see cref="Pack"/> wrote; hostile.</param>
    /// <param name="body">Exactly as long as the body must be.</param>
    /// <exception cref="CheckpointException">JournalDamaged: an unknown form, a broken frame or another length.</exception>
    public void Unpack(byte form, ReadOnlySpan<byte> packed, Span<byte> body)
    {
        switch (form)
        {
            case Raw when packed.Length == body.Length:
                packed.CopyTo(body);
                return;
            case Frame when !body.IsEmpty && Unwrap(packed, body) == body.Length:
                return;
            default:
                throw CodecDamage.Because("its body has an unknown form or another length");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        compressor?.Dispose();
        decompressor?.Dispose();
    }

    private int Unwrap(ReadOnlySpan<byte> packed, Span<byte> body)
    {
        decompressor ??= new Decompressor();
        try
        {
            return decompressor.TryUnwrap(packed, body, out int written) ? written : -1;
        }
        catch (ZstdException broken)
        {
            throw CodecDamage.Because("its zstd frame is broken", broken);
        }
    }
}
