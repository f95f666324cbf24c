using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests;

/// <summary>Pages that claim something name the tests that show it.</summary>
public sealed class DocumentedTests
{
    [Theory]
    [InlineData("docs/threat-model.md")]
    public void Every_row_of_a_page_names_tests_that_exist(string page) => Assert.Empty(NamedTests.ProblemsOf(page));
}
