using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Handles;

public sealed class FileRulesTests : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode PrivateFolder = Private | UnixFileMode.UserExecute;
    private readonly TempDirectory temp = new();
    private readonly FileRules rules = FileRules.For(null);

    public FileRulesTests() => File.SetUnixFileMode(temp.Path, PrivateFolder);

    public void Dispose() => temp.Dispose();

    [Fact]
    public void A_private_file_in_a_private_folder_is_opened()
    {
        using IDiskFile? file = rules.TryOpen(Write("h"));
        Assert.Equal(2, file!.Length);
    }

    [Fact]
    public void A_file_that_is_not_there_is_null() =>
        Assert.Equal((null, null), (rules.TryOpen(temp.File("h")), rules.TryOpen(temp.File("no folder", "h"))));

    [Theory]
    [InlineData(UnixFileMode.GroupWrite, "0620")]
    [InlineData(UnixFileMode.OtherWrite, "0602")]
    public void A_file_that_others_may_write_is_refused(UnixFileMode more, string mode)
    {
        string path = Write("h");
        File.SetUnixFileMode(path, Private | more);
        Refused($"{path} can be written by its group or by everybody (mode {mode})", $"chmod go-w {path}", path);
    }

    [Fact]
    public void A_folder_that_others_may_write_is_refused()
    {
        string path = Write("h");
        File.SetUnixFileMode(temp.Path, PrivateFolder | UnixFileMode.OtherWrite);
        Refused($"{temp.Path} can be written by its group or by everybody (mode 0702)", $"chmod go-w {temp.Path}", path);
    }

    [SkippableFact]
    public void A_root_owned_sticky_folder_is_taken_though_all_may_write()
    {
        FileEntry shared = Disk.Instance.Stat("/tmp") ?? default;
        Skip.IfNot(shared.Owner == 0 && (shared.Mode & 0x202) == 0x202, "/tmp is not a root-owned sticky folder here");
        string path = $"/tmp/apollo-test-{Guid.NewGuid():N}";
        File.WriteAllText(path, "{}");
        try
        {
            File.SetUnixFileMode(path, Private);
            using IDiskFile? file = rules.TryOpen(path);
            Assert.NotNull(file);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_symbolic_link_is_refused()
    {
        File.CreateSymbolicLink(temp.File("link"), Write("h"));
        Refused($"{temp.File("link")} is a symbolic link", "name the file itself", temp.File("link"));
    }

    [Fact]
    public void A_file_swapped_after_it_was_judged_is_not_what_is_read()
    {
        string path = temp.File("swapped");
        File.WriteAllText(path, "judged");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using IDiskFile judged = rules.TryOpen(path)!;
        File.WriteAllText(temp.File("other"), "others");
        File.Move(temp.File("other"), path, overwrite: true);

        byte[] bytes = new byte[6];
        judged.Read(bytes, 0);

        Assert.Equal("judged"u8.ToArray(), bytes);
    }

    [Fact]
    public void A_folder_is_refused()
    {
        string path = temp.Folder("h");
        Refused($"{path} is not a regular file", "name the file that the hook wrote", path);
    }

    [Fact]
    public void A_file_of_another_user_is_refused_unless_that_user_is_admitted()
    {
        string path = Write("h");
        using ForeignFile found = ForeignFile.TryOpen(path)!;
        uint owner = found.Entry.Owner;
        // Root's files are always taken, so the owner can only be strange when the tests do not run as root.
        FileEntry strange = found.Entry with
        {
            Owner = 4242,
        };
        Assert.NotEqual(4242u, owner);
        CheckpointException failure = Assert.Throws<CheckpointException>(() => new FileRules(owner, null).CheckOwnerAndMode(strange, path));
        Assert.Equal(CheckpointError.HandlesUnsafe, failure.Error);
        Assert.Equal($"{path} belongs to user 4242, not to this user ({owner}) or root", failure.Message);
        Assert.Equal($"if that user runs the producer: --handles-owner 4242; else: chown {owner} {path}", failure.Next);
        new FileRules(owner, 4242).CheckOwnerAndMode(strange, path);
    }

    [Theory]
    [InlineData("root", 0u)]
    [InlineData("0", 0u)]
    [InlineData("4242", 4242u)]
    public void A_user_is_found_by_name_and_number(string name, uint expected) => Assert.Equal(expected, SystemUser.Find(name));

    [Fact]
    public void An_unknown_owner_is_a_usage_error()
    {
        CheckpointException failure = Assert.Throws<CheckpointException>(() => FileRules.For("no such user"));
        Assert.Equal(CheckpointError.Usage, failure.Error);
    }

    private string Write(string name)
    {
        File.WriteAllText(temp.File(name), "{}");
        File.SetUnixFileMode(temp.File(name), Private);
        return temp.File(name);
    }

    private void Refused(string message, string next, string path)
    {
        CheckpointException failure = Assert.Throws<CheckpointException>(() => rules.TryOpen(path));
        Assert.Equal((CheckpointError.HandlesUnsafe, message, next), (failure.Error, failure.Message, failure.Next));
    }
}
