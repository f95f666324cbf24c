using System.Reflection;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace ApolloCheckpoint.Mutants;

/// <summary>Runs chosen tests of an assembly inside this process, one after the other, any number of times.</summary>
internal sealed class TestRun : LongLivedMarshalByRefObject, IMessageSink
{
    private readonly ITestFrameworkExecutor executor;
    private readonly Dictionary<string, ITestCase> cases;
    private readonly List<string> failures = [];
    private readonly ManualResetEventSlim isOver = new();

    internal TestRun(Assembly assembly)
    {
        XunitTestFramework framework = new(this);
        Discovery found = new();
        framework.GetDiscoverer(Reflector.Wrap(assembly)).Find(includeSourceInformation: false, found, new Options());
        found.Finished.Wait();
        cases = found.Cases.DistinctBy(Name).ToDictionary(Name);
        executor = framework.GetExecutor(assembly.GetName());
    }

    /// <summary>The tests, by name.</summary>
    internal IReadOnlyDictionary<string, ITestCase> Cases => cases;

    /// <summary>Runs one test.</summary>
    /// <returns>What it failed with, or null.</returns>
    internal string? Run(string name)
    {
        failures.Clear();
        isOver.Reset();
        executor.RunTests([cases[name]], this, new Options());
        isOver.Wait();
        return failures.Count == 0 ? null : failures[0];
    }

    public bool OnMessage(IMessageSinkMessage message)
    {
        if (message is IFailureInformation failure)
        {
            failures.Add(failure.Messages.FirstOrDefault() ?? failure.ExceptionTypes[0] ?? "?");
        }

        if (message is ITestAssemblyFinished)
        {
            isOver.Set();
        }

        return true;
    }

    private static string Name(ITestCase test) => test.DisplayName.Replace("ApolloCheckpoint.", "", StringComparison.Ordinal);

    private sealed class Discovery : LongLivedMarshalByRefObject, IMessageSink
    {
        internal List<ITestCase> Cases { get; } = [];

        internal ManualResetEventSlim Finished { get; } = new();

        public bool OnMessage(IMessageSinkMessage message)
        {
            if (message is ITestCaseDiscoveryMessage found)
            {
                Cases.Add(found.TestCase);
            }
            else if (message is IDiscoveryCompleteMessage)
            {
                Finished.Set();
            }

            return true;
        }
    }

    /// <summary>One test at a time.</summary>
    private sealed class Options : ITestFrameworkDiscoveryOptions, ITestFrameworkExecutionOptions
    {
        private readonly Dictionary<string, object?> values = new()
        {
            ["xunit.execution.DisableParallelization"] = true,
            ["xunit.execution.SynchronousMessageReporting"] = true,
            ["xunit.discovery.PreEnumerateTheories"] = true,
        };

        public TValue GetValue<TValue>(string name) => values.GetValueOrDefault(name) is TValue value ? value : default!;

        public void SetValue<TValue>(string name, TValue value) => values[name] = value;
    }
}
