using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Service;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Tool.Tests.Serving;

public class ServiceTokenTests
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [Fact]
    public void Token_is_made_at_the_first_start_readable_by_its_user_alone_and_kept()
    {
        using TempDirectory temp = new();
        string file = temp.File("state", "token");
        ServiceToken first = ServiceToken.ReadOrCreate(file);
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(file));
        Assert.Equal(OwnerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(temp.File("state")));
        Assert.Equal(first.Text, ServiceToken.ReadOrCreate(file).Text);
        Assert.Equal([file], Directory.GetFiles(temp.File("state")));
        Assert.True(first.Text.Length >= 43, "32 random bytes");
    }

    [Fact]
    public void Services_that_start_at_once_agree_on_one_token()
    {
        using TempDirectory temp = new();
        string file = temp.File("state", "token");
        string[] tokens = new string[8];
        Parallel.For(0, tokens.Length, i => tokens[i] = ServiceToken.ReadOrCreate(file).Text);
        Assert.Single(tokens.Distinct());
    }

    [Fact]
    public void Token_that_others_can_read_is_refused()
    {
        using TempDirectory temp = new();
        string file = temp.File("state", "token");
        ServiceToken.ReadOrCreate(file);
        File.SetUnixFileMode(file, OwnerOnly | UnixFileMode.GroupRead);
        CheckpointException refused = Assert.Throws<CheckpointException>(() => ServiceToken.ReadOrCreate(file));
        Assert.Equal((CheckpointError.TokenUnusable, $"others can read {file}"), (refused.Error, refused.Message));
    }

    [Theory]
    [InlineData("")]
    [InlineData("short")]
    [InlineData("a token with blanks that is long enough to be one")]
    public void File_that_holds_no_token_is_refused(string text)
    {
        using TempDirectory temp = new();
        string file = temp.File("token");
        File.WriteAllText(file, text);
        File.SetUnixFileMode(file, OwnerOnly);
        Assert.Equal(CheckpointError.TokenUnusable, Assert.Throws<CheckpointException>(() => ServiceToken.Read(file)).Error);
    }

    [Fact]
    public void Client_that_finds_no_token_is_told_to_start_the_engine()
    {
        using TempDirectory temp = new();
        CheckpointException missing = Assert.Throws<CheckpointException>(() => ServiceToken.Read(temp.File("token")));
        Assert.Contains("apollo-checkpoint serve", missing.Next);
    }

    [Fact]
    public void Only_the_very_token_fits()
    {
        using TempDirectory temp = new();
        ServiceToken token = ServiceToken.ReadOrCreate(temp.File("token"));
        Assert.True(token.Fits($"Bearer {token.Text}"));
        Assert.True(token.Fits($"bearer {token.Text}"));
        string?[] wrong =
        [
            null,
            "",
            "Bearer",
            "Bearer ",
            token.Text,
            $"Basic {token.Text}",
            $"Bearer {token.Text}x",
            $"Bearer {token.Text[1..]}",
        ];
        Assert.DoesNotContain(wrong, token.Fits);
        Assert.DoesNotContain(token.Text, token.ToString());
    }
}
