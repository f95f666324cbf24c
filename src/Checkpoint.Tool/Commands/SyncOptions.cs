using System.CommandLine;
using System.Globalization;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary>The options of a sync; <c>sync</c> and <c>watch</c> have the same. Names and defaults of the old program are kept.</summary>
internal sealed class SyncOptions
{
    private readonly SourceOptions source = new();
    private readonly Option<int> blockSize = CommonOptions.Number(
        "--block-size",
        "BYTES",
        "Bytes of the block that the report counts, from each tensor's start",
        4096
    );

    private readonly Option<bool> dryRun = new("--dry-run") { Description = "Compare and report, write nothing" };
    private readonly Option<ConsistencyMode> consistency = CommonOptions.Choice<ConsistencyMode>(
        "--consistency",
        "How the bytes are made to belong to one step of the trainer"
    );

    private readonly Option<TimeSpan?> maxStall = CommonOptions.Duration(
        "--max-stall",
        "Longest time that --consistency lock may hold the trainer [default: 5s]"
    );

    private readonly Option<int?> fold = FoldOption();
    private readonly Option<FoldWay> foldWay = CommonOptions.Choice<FoldWay>(
        "--fold-way",
        "How a shard is brought up to date: in place, by a new file, or the cheaper of the two"
    );

    private readonly Option<string?> baseline = new("--baseline")
    {
        Description = "A RAM-backed folder that keeps the newest version ready between folds",
        HelpName = "DIR",
    };

    private readonly Option<bool> allowPartial = new("--allow-partial") { Description = "Sync what fits and leave the rest as it is" };
    private readonly Option<bool> repair = new("--repair") { Description = "Take damaged chunks of the files from the live model" };
    private readonly Option<bool> acceptProducer = new("--accept-producer")
    {
        Description = "Take a producer that did not load the newest version",
    };

    private readonly Option<bool> replaceLinks = new("--replace-links")
    {
        Description = "Put a private file in the place of a shard that is a link",
    };

    private readonly Option<bool> unfit = new("--allow-unfit-file-system")
    {
        Description = "Use a network or FUSE file system, whose promises this program cannot check",
    };

    /// <summary>Adds all of them to a verb.</summary>
    public void AddTo(Command command)
    {
        source.AddTo(command);
        Option[] all =
        [
            blockSize,
            dryRun,
            consistency,
            maxStall,
            fold,
            foldWay,
            baseline,
            allowPartial,
            repair,
            acceptProducer,
            replaceLinks,
            unfit,
        ];
        foreach (Option option in all)
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The request that was typed.</summary>
    public SyncRequest Read(ParseResult parse) =>
        source.Read(parse) with
        {
            BlockSize = parse.GetValue(blockSize),
            DryRun = parse.GetValue(dryRun),
            Consistency = parse.GetValue(consistency),
            MaxStall = parse.GetValue(maxStall) ?? TimeSpan.FromSeconds(5),
            FoldEvery = parse.GetValue(fold) ?? 1,
            FoldWay = parse.GetValue(foldWay),
            Baseline = parse.GetValue(baseline),
            AllowPartial = parse.GetValue(allowPartial),
            Repair = parse.GetValue(repair),
            AcceptProducer = parse.GetValue(acceptProducer),
            ReplaceLinks = parse.GetValue(replaceLinks),
            AllowUnfitFileSystem = parse.GetValue(unfit),
        };

    private static Option<int?> FoldOption() =>
        new("--fold")
        {
            Description =
                "Bring the files up to date after every version, after every K versions, or only by the verb fold [default: always]",
            HelpName = "always|never|K",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                switch (text)
                {
                    case "always":
                        return 1;
                    case "never":
                        return 0;
                    default:
                        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int every) && every > 0)
                        {
                            return every;
                        }

                        result.AddError($"--fold '{text}' is neither always, never nor a number of versions");
                        return 1;
                }
            },
        };
}
