using System.Globalization;
using System.Runtime.InteropServices;

namespace ApolloCheckpoint.Engine.Storage;

/// <summary>Users of the operating system, by number.</summary>
internal static class SystemUser
{
    /// <summary>The user whose rights this process has.</summary>
    internal static uint Current => Libc.GetEffectiveUser();

    /// <summary>The number of a user given by name or number, or null when there is none of that name.</summary>
    internal static uint? Find(string nameOrNumber)
    {
        if (uint.TryParse(nameOrNumber, NumberStyles.None, CultureInfo.InvariantCulture, out uint number))
        {
            return number;
        }

        nint entry = Libc.GetUserByName(nameOrNumber);
        return entry == 0 ? null : (uint)Marshal.ReadInt32(entry, 2 * nint.Size);
    }
}
