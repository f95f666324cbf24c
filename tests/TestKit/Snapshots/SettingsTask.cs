#if !REAL_VERIFY
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using ApolloCheckpoint.TestKit;
using Xunit.Sdk;

namespace VerifyXunit;

/// <summary>A snapshot about to be compared. Fails on a missing and on a different one, as Verify does on a build server.</summary>
public sealed class SettingsTask
{
    private static readonly UTF8Encoding WithMark = new(encoderShouldEmitUTF8Identifier: true);
    private readonly string received;
    private readonly string sourceFile;
    private readonly string memberName;
    private object?[] parameters = [];

    internal SettingsTask(string target, string sourceFile, string memberName)
    {
        received = target.ReplaceLineEndings("\n");
        this.sourceFile = RealPath(sourceFile);
        this.memberName = memberName;
    }

    /// <summary>Puts the test method's parameters into the file name: <c>Class.Method_name=value.verified.txt</c>.</summary>
    public SettingsTask UseParameters(params object?[] values)
    {
        parameters = values;
        return this;
    }

    /// <summary>Compares; lets the result be awaited.</summary>
    public TaskAwaiter GetAwaiter() => ToTask().GetAwaiter();

    /// <summary>Compares; lets a test return it.</summary>
    public static implicit operator Task(SettingsTask task) => task.ToTask();

    /// <summary>Compares.</summary>
    public Task ToTask()
    {
        try
        {
            Compare();
            return Task.CompletedTask;
        }
        catch (XunitException e)
        {
            return Task.FromException(e);
        }
    }

    private void Compare()
    {
        string stem = Path.Combine(Path.GetDirectoryName(sourceFile) ?? "", FileStem());
        string verifiedPath = $"{stem}.verified.txt";
        string receivedPath = $"{stem}.received.txt";
        // ReadAllText drops the byte-order mark.
        string? verified = File.Exists(verifiedPath) ? File.ReadAllText(verifiedPath).ReplaceLineEndings("\n") : null;
        if (verified == received)
        {
            File.Delete(receivedPath);
            return;
        }

        File.WriteAllText(receivedPath, received, WithMark);
        throw new XunitException(
            verified is null
                ? $"There is no snapshot {verifiedPath} yet. Received:\n{received}\nIf that is right, rename {receivedPath} to it."
                : $"{verifiedPath} differs.\nVerified:\n{verified}\nReceived ({receivedPath}):\n{received}"
        );
    }

    private string FileStem()
    {
        StringBuilder name = new($"{Path.GetFileNameWithoutExtension(sourceFile)}.{memberName}");
        string[] names = parameters.Length == 0 ? [] : ParameterNames();
        for (int i = 0; i < parameters.Length; i++)
        {
            name.Append('_').Append(names[i]).Append('=').Append(Text(parameters[i]));
        }

        return name.ToString();
    }

    private string[] ParameterNames()
    {
        string type = Path.GetFileNameWithoutExtension(sourceFile);
        MethodInfo? method = AppDomain
            .CurrentDomain.GetAssemblies()
            .Where(assembly =>
                !assembly.IsDynamic && assembly.GetName().Name?.StartsWith("ApolloCheckpoint.", StringComparison.Ordinal) == true
            )
            .SelectMany(assembly => assembly.GetTypes())
            .Where(candidate => candidate.Name == type)
            .Select(candidate => candidate.GetMethod(memberName))
            .FirstOrDefault(candidate => candidate?.GetParameters().Length >= parameters.Length);
        return method is null
            ? throw new InvalidOperationException($"No test method {type}.{memberName} with {parameters.Length} parameters")
            : [.. method.GetParameters().Select(parameter => parameter.Name ?? "")];
    }

    private static string Text(object? value)
    {
        string text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "null";
        return string.Join('-', text.Split([.. Path.GetInvalidFileNameChars(), '\\', ':', '*', '?', '"', '<', '>', '|']));
    }

    /// <summary>Builds with DeterministicSourcePaths write /_/tests/… in place of the repository's root.</summary>
    private static string RealPath(string sourceFile) =>
        sourceFile.StartsWith("/_/", StringComparison.Ordinal) ? Repository.PathOf(sourceFile[3..]) : sourceFile;
}
#endif
