using ApolloCheckpoint.Tool.Doctor;
using ApolloCheckpoint.Tool.Rendering;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Tool.Tests.Rendering;

public class DoctorTextTests
{
    [Fact]
    public async Task Each_finding_is_a_line_with_what_mends_it()
    {
        using StringWriter writer = new() { NewLine = "\n" };
        DoctorText.Write(writer, new Finding(Level.Ok, "model", "11 shards, 54.0 GB, headers valid"), colour: false);
        DoctorText.Write(
            writer,
            new Finding(Level.Warn, "journal", "the files hold version 41 of 42", "apollo-checkpoint fold"),
            colour: false
        );
        DoctorText.Write(writer, new Finding(Level.Fail, "moria", "Host key verification failed", "ssh-keyscan moria"), colour: false);
        await Verify(writer.ToString());
    }
}
