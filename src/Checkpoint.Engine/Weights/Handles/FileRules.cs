using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Weights.Handles;

/// <summary>
/// Who may have written what the engine reads from a producer: handles file, state page, memory files. Whoever can write one of them
/// decides what goes into the model, so owner and mode are checked on the opened descriptors, of the file and of its folder.
/// </summary>
/// <param name="self">The user whose rights this process has.</param>
/// <param name="admitted">One more owner, from <c>--handles-owner</c>, or null.</param>
internal sealed class FileRules(uint self, uint? admitted)
{
    private const int GroupOrOtherWrite = 0x12;
    private const int Sticky = 0x200;

    /// <summary>The rules of a request.</summary>
    /// <param name="handlesOwner">Name or number of one more owner, or null.</param>
    /// <exception cref="CheckpointException">Usage: no such user.</exception>
    internal static FileRules For(string? handlesOwner)
    {
        uint? admitted = handlesOwner is null ? null : SystemUser.Find(handlesOwner);
        if (handlesOwner is not null && admitted is null)
        {
            throw new CheckpointException(
                CheckpointError.Usage,
                $"--handles-owner: there is no user {handlesOwner}",
                "check the name with: id USER"
            );
        }

        return new FileRules(SystemUser.Current, admitted);
    }

    /// <summary>Opens a file that keeps the rules.</summary>
    /// <returns>The open file, or null when nothing stands at the path.</returns>
    /// <exception cref="CheckpointException">HandlesUnsafe naming the rule and what mends it; SourceUnavailable: not permitted.</exception>
    internal DiskFile? TryOpen(string path)
    {
        try
        {
            using ForeignFile? found = ForeignFile.TryOpen(path);
            if (found is null)
            {
                return null;
            }

            Check(found, Path.GetFullPath(path));
            return found.TakeFile();
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.DiskReadFailed)
        {
            throw new CheckpointException(CheckpointError.SourceUnavailable, e.Message, e.Next, e);
        }
    }

    /// <summary>Which rule the file or its folder breaks.</summary>
    /// <exception cref="CheckpointException">HandlesUnsafe.</exception>
    internal void Check(ForeignFile found, string path)
    {
        FileEntry entry = found.Entry;
        if (entry.Kind == FileEntryKind.Link)
        {
            throw Unsafe($"{path} is a symbolic link", "name the file itself");
        }

        if (entry.Kind != FileEntryKind.File)
        {
            throw Unsafe($"{path} is not a regular file", "name the file that the hook wrote");
        }

        CheckOwnerAndMode(entry, path);
        CheckFolder(found.Folder, Path.GetDirectoryName(path) ?? "/");
    }

    /// <summary>Which rule a folder breaks. A root-owned sticky one such as /tmp is taken: nobody can replace another's file there.</summary>
    /// <exception cref="CheckpointException">HandlesUnsafe.</exception>
    private void CheckFolder(FileEntry folder, string path)
    {
        if (folder.Owner != 0 || (folder.Mode & Sticky) == 0)
        {
            CheckOwnerAndMode(folder, path);
        }
    }

    /// <summary>Which rule an owner and a mode break.</summary>
    /// <exception cref="CheckpointException">HandlesUnsafe.</exception>
    internal void CheckOwnerAndMode(FileEntry entry, string path)
    {
        if (entry.Owner != self && entry.Owner != 0 && entry.Owner != admitted)
        {
            throw Unsafe(
                $"{path} belongs to user {entry.Owner}, not to this user ({self}) or root",
                $"if that user runs the producer: --handles-owner {entry.Owner}; else: chown {self} {path}"
            );
        }

        if ((entry.Mode & GroupOrOtherWrite) != 0)
        {
            throw Unsafe(
                $"{path} can be written by its group or by everybody (mode {Convert.ToString(entry.Mode, 8).PadLeft(4, '0')})",
                $"chmod go-w {path}"
            );
        }
    }

    private static CheckpointException Unsafe(string what, string next) => new(CheckpointError.HandlesUnsafe, what, next);
}
