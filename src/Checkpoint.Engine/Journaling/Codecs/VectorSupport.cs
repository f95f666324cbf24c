using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>Whether this processor can take the <see cref="VectorPath"/>.</summary>
internal static class VectorSupport
{
    /// <summary>Whether it has vectors of 256 bits, and bit extract and deposit that are fast.</summary>
    public static bool IsFast { get; } = Vector256.IsHardwareAccelerated && Bmi2.X64.IsSupported && !DepositIsMicrocode();

    /// <summary>AMD processors before Zen 3 (family 25) run extract and deposit in microcode: up to 300 cycles each.</summary>
    private static bool DepositIsMicrocode()
    {
        // The first four letters of "AuthenticAMD".
        const int Amd = 0x68747541;
        (_, int vendor, _, _) = X86Base.CpuId(0, 0);
        (int version, _, _, _) = X86Base.CpuId(1, 0);
        int family = ((version >> 8) & 15) + ((version >> 20) & 255);
        return vendor == Amd && family < 25;
    }
}
