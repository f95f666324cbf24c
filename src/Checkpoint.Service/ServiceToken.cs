using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Service;

/// <summary>
/// The secret that a request which changes something must show: <c>Authorization: Bearer TOKEN</c>. One for all services of a user, in a
/// file that only this user can read (0600), made by the first service that starts. Whoever can read the file may start a sync; a web page,
/// or another user of the machine, cannot.
/// </summary>
public sealed class ServiceToken
{
    /// <summary>Random bytes of a token.</summary>
    private const int RandomBytes = 32;

    private const int LongestFile = 4096;
    private const UnixFileMode OthersMay = (UnixFileMode)0x3F;
    private readonly byte[] value;

    private ServiceToken(string path, string value)
    {
        FilePath = path;
        this.value = Encoding.ASCII.GetBytes(value);
    }

    /// <summary>Where the token is when nobody says otherwise: <c>APOLLO_TOKEN_FILE</c>, else <c>token</c> in <see cref="ServiceFolder"/>.</summary>
    public static string DefaultPath =>
        Environment.GetEnvironmentVariable("APOLLO_TOKEN_FILE") is { Length: > 0 } path
            ? path
            : Path.Combine(ServiceFolder.Default, "token");

    /// <summary>The file it stands in.</summary>
    public string FilePath { get; }

    /// <summary>What a client sends.</summary>
    public AuthenticationHeaderValue Header => new("Bearer", Text);

    /// <summary>The secret itself: for the link that a terminal shows, and for nothing else.</summary>
    public string Text => Encoding.ASCII.GetString(value);

    /// <summary>Reads the token of a service that was started before.</summary>
    /// <param name="path">The file, or null: <see cref="DefaultPath"/>.</param>
    /// <exception cref="CheckpointException">TokenUnusable: it is not there, is no token, or others can read it.</exception>
    public static ServiceToken Read(string? path = null)
    {
        string file = Path.GetFullPath(path ?? DefaultPath);
        return TryRead(file)
            ?? throw Unusable($"there is no token at {file}", "start the engine first: apollo-checkpoint serve; or name its --token-file");
    }

    /// <summary>Reads the token, or makes one when the file is not there yet. Two services that start at once agree on one.</summary>
    /// <param name="path">The file, or null: <see cref="DefaultPath"/>.</param>
    /// <exception cref="CheckpointException">TokenUnusable: it cannot be made, is no token, or others can read it.</exception>
    public static ServiceToken ReadOrCreate(string? path = null)
    {
        string file = Path.GetFullPath(path ?? DefaultPath);
        if (TryRead(file) is { } found)
        {
            return found;
        }

        try
        {
            Create(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable($"{file} cannot be written: {e.Message}", "name another --token-file, or set APOLLO_STATE_DIR", e);
        }

        return TryRead(file) ?? throw Unusable($"{file} vanished as soon as it was made", "start it again");
    }

    /// <summary>Whether the value of an <c>Authorization</c> header shows this token; takes the same time for every wrong one.</summary>
    public bool Fits(string? header) =>
        AuthenticationHeaderValue.TryParse(header, out AuthenticationHeaderValue? parsed)
        && string.Equals(parsed.Scheme, "Bearer", StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(parsed.Parameter ?? ""), value);

    /// <summary>Never the secret: this ends up in logs.</summary>
    public override string ToString() => $"the token in {FilePath}";

    private static ServiceToken? TryRead(string file)
    {
        if (Disk.Instance.Stat(file) is not { } entry)
        {
            return null;
        }

        if (entry.Kind != FileEntryKind.File || entry.Length > LongestFile)
        {
            throw Unusable($"{file} is not a token's file", "move it away; the next start makes a new one");
        }

        if (entry.Owner != SystemUser.Current && entry.Owner != 0)
        {
            throw Unusable($"{file} belongs to user {entry.Owner}", "run the services as one user, or name a --token-file of your own");
        }

        if (((UnixFileMode)entry.Mode & OthersMay) != 0)
        {
            throw Unusable($"others can read {file}", $"rm {file}, and start the services again: they make a new one");
        }

        string text;
        try
        {
            text = File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable($"{file} cannot be read: {e.Message}", "run the services as one user, or name a --token-file of your own", e);
        }

        return text.Length >= 32 && text.All(IsTokenLetter)
            ? new ServiceToken(file, text)
            : throw Unusable($"{file} holds no token", $"rm {file}, and start the services again: they make a new one");
    }

    /// <summary>Written beside and linked into place, so that nobody ever reads half a token and the first one wins.</summary>
    private static void Create(string file)
    {
        ServiceFolder.Create(Path.GetDirectoryName(file) ?? "/");
        string beside = $"{file}.{Guid.NewGuid():N}.new";
        FileStreamOptions mode = new()
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        try
        {
            using (FileStream stream = new(beside, mode))
            {
                stream.Write(Encoding.ASCII.GetBytes(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes)) + "\n"));
                stream.Flush(flushToDisk: true);
            }

            Disk.Instance.RenameNew(beside, file);
        }
        catch (IOException) when (File.Exists(file))
        {
            // Another service was faster; its token is the token.
        }
        finally
        {
            File.Delete(beside);
        }
    }

    private static bool IsTokenLetter(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_';

    private static CheckpointException Unusable(string what, string next, Exception? inner = null) =>
        new(CheckpointError.TokenUnusable, what, next, inner);
}
