using System.Globalization;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.Baselines;

/// <summary>
/// The folder that <c>--baseline</c> names. What stands in it is compared with live weights, so nobody else may be able to write there;
/// /dev/shm itself is taken too, where everybody writes but nobody can touch another's file.
/// </summary>
internal static class BaselineFolder
{
    private const int OthersMayWrite = 0x12;
    private const int OthersMayAnything = 0x3F;
    private const int Sticky = 0x200;

    /// <summary>Makes the folder where it is missing, and checks who owns it and the model's file in it.</summary>
    /// <returns>The path of the model's file: named by the directory's inode, whose lock its one user holds.</returns>
    /// <exception cref="CheckpointException">Usage: folder or file is not ours alone. 15xx.</exception>
    internal static string Prepare(IDisk disk, string folder, string model, bool create)
    {
        string full = Path.GetFullPath(folder);
        if (create && disk.Stat(full) is null)
        {
            Create(disk, full);
        }

        if (disk.Stat(full) is { } entry)
        {
            Check(full, entry);
        }

        FileEntry directory = disk.Stat(model) ?? throw new FileNotFoundException($"{model} is gone", model);
        string path = Path.Combine(
            full,
            string.Create(CultureInfo.InvariantCulture, $"apollo-{directory.Device:x}-{directory.Inode:x}.baseline")
        );
        if (disk.Stat(path) is { } file)
        {
            bool isOurs =
                file is { Kind: FileEntryKind.File, Links: 1 } && file.Owner == SystemUser.Current && (file.Mode & OthersMayAnything) == 0;
            if (!isOurs)
            {
                throw Unsafe($"{path} is not a private file of this user", $"find out who made it, then: rm {path}");
            }
        }

        return path;
    }

    private static void Create(IDisk disk, string folder)
    {
        try
        {
            disk.CreateFolder(folder);
        }
        catch (FileNotFoundException)
        {
            throw Unsafe($"{folder} cannot be made: the folder above it does not exist", "name a folder in /dev/shm");
        }
    }

    private static void Check(string folder, FileEntry entry)
    {
        if (entry.Kind != FileEntryKind.Folder)
        {
            throw Unsafe($"{folder} is not a folder", "name a folder in /dev/shm");
        }

        bool isOurs = (entry.Owner == SystemUser.Current || entry.Owner == 0) && (entry.Mode & OthersMayWrite) == 0;
        if (!isOurs && (entry.Owner != 0 || (entry.Mode & Sticky) == 0))
        {
            throw Unsafe(
                $"{folder} belongs to user {entry.Owner} (mode {Convert.ToString(entry.Mode, 8).PadLeft(4, '0')}): somebody else can write there",
                $"name a folder of your own, or: chmod go-w {folder}"
            );
        }
    }

    private static CheckpointException Unsafe(string what, string next) => new(CheckpointError.Usage, $"--baseline: {what}", next);
}
