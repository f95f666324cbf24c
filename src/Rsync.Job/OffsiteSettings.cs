using System.CommandLine;
using System.Globalization;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Rsync;

/// <summary>The options that say which model goes where and how.</summary>
public sealed class OffsiteSettings
{
    private readonly Option<string> model = new("--model-dir")
    {
        Description = "The model directory [default: APOLLO_MODEL_DIR]",
        HelpName = "DIR",
    };

    private readonly Option<string?> target = new("--target")
    {
        Description = "[USER@]HOST:PATH, or an absolute path [default: moria:models/NAME]",
        HelpName = "TARGET",
    };

    private readonly Option<bool> foldFirst = new("--fold-first") { Description = "Bring the files to the newest version before" };
    private readonly Option<int> keep = new("--keep")
    {
        Description = "Snapshots kept on the far side",
        HelpName = "N",
        DefaultValueFactory = _ => 14,
    };

    private readonly Option<string?> bandwidth = new("--bandwidth")
    {
        Description = "Most bytes a second, for example 500k or 20M [default: no limit]",
        HelpName = "RATE",
    };

    private readonly Option<bool> noVerify = new("--no-verify") { Description = "Do not have the far side read and compare its copy" };
    private readonly Option<string?> sshConfig = new("--ssh-config")
    {
        Description = "A configuration file of ssh [default: that of the user]",
        HelpName = "FILE",
    };

    /// <summary>Adds all of them to a command, except <c>--model-dir</c> where that has one already.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[model, target, foldFirst, keep, bandwidth, noVerify, sshConfig])
        {
            if (!command.Options.Any(other => other.Name == option.Name))
            {
                command.Options.Add(option);
            }
        }
    }

    /// <summary>What was typed.</summary>
    /// <exception cref="CheckpointException">Usage.</exception>
    public OffsiteOptions Read(ParseResult parsed)
    {
        string? directory = parsed.GetValue<string>(model.Name) ?? Environment.GetEnvironmentVariable("APOLLO_MODEL_DIR");
        if (string.IsNullOrEmpty(directory))
        {
            throw Usage("--model-dir is missing", "give --model-dir DIR or set APOLLO_MODEL_DIR");
        }

        if (parsed.GetValue(keep) < 1)
        {
            throw Usage($"--keep {parsed.GetValue(keep)} is less than 1", "the newest copy always stays");
        }

        string problem = "";
        RsyncTarget? parsedTarget = parsed.GetValue(target) is { Length: > 0 } text
            ? RsyncTarget.TryParse(text, out problem)
            : RsyncTarget.Default(directory);
        return parsedTarget is null
            ? throw Usage($"--target: {problem}", "for example --target moria:models/NAME")
            : new OffsiteOptions(Path.GetFullPath(directory), parsedTarget)
            {
                Keep = parsed.GetValue(keep),
                FoldFirst = parsed.GetValue(foldFirst),
                Verify = !parsed.GetValue(noVerify),
                BandwidthKiB = KiB(parsed.GetValue(bandwidth)),
                SshCommand = parsed.GetValue(sshConfig) is { } file ? ["ssh", "-F", Path.GetFullPath(file)] : ["ssh"],
            };
    }

    /// <summary>A rate such as 500k or 20M (bytes a second, SI) in KiB a second.</summary>
    private static int KiB(string? rate)
    {
        if (rate is null)
        {
            return 0;
        }

        double unit =
            rate.Length == 0
                ? 0
                : rate[^1] switch
                {
                    'k' => 1e3,
                    'M' => 1e6,
                    'G' => 1e9,
                    _ => 1,
                };
        string number = unit == 1 ? rate : rate[..^Math.Min(1, rate.Length)];
        bool isNumber = double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value);
        return isNumber && value * unit is >= 1024 and < 1e12
            ? (int)(value * unit / 1024)
            : throw Usage($"--bandwidth '{rate}' is not a rate of at least 1024 bytes a second", "for example 500k or 20M");
    }

    private static CheckpointException Usage(string what, string next) => new(CheckpointError.Usage, what, next);
}
