using System.Globalization;
using System.Text;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Rsync;

namespace ApolloCheckpoint.Tool.Installing;

/// <summary>
/// systemd units: engine, trigger, off-site job, and a target that starts all. Each may write where it must and nowhere else, has no
/// way to more rights, is watched (<c>WatchdogSec=</c>) and started again. Checked with <c>systemd-analyze verify</c> in a test.
/// </summary>
internal static class UnitText
{
    private const string Engine = "engine";
    private const string Trigger = "trigger";
    private const string Offsite = "offsite";

    /// <summary>One unit, or all of them with their file names as comments.</summary>
    /// <exception cref="CheckpointException">Usage: no such unit, or a word that no unit can hold.</exception>
    public static string Of(InstallPlan plan, string? only)
    {
        plan.Check();
        if (only is not null and not (Engine or Trigger or Offsite))
        {
            throw new CheckpointException(CheckpointError.Usage, $"--unit {only} is none", "engine, trigger or offsite");
        }

        if (only is not null)
        {
            return Unit(plan, only);
        }

        StringBuilder all = new();
        all.Append("# Each part below is a file in /etc/systemd/system. Then: systemctl daemon-reload && systemctl enable --now ")
            .Append(CultureInfo.InvariantCulture, $"{FileName(Engine)} {FileName(Trigger)} {FileName(Offsite)}\n");
        foreach (string name in (string[])[Engine, Trigger, Offsite])
        {
            all.Append(CultureInfo.InvariantCulture, $"\n# /etc/systemd/system/{FileName(name)}\n").Append(Unit(plan, name));
        }

        return all.ToString();
    }

    private static string FileName(string name) => $"apollo-checkpoint-{name}.service";

    private static string Unit(InstallPlan plan, string name) =>
        string.Join(
            '\n',
            [
                "[Unit]",
                $"Description=apollo-checkpoint {name} of {Literal(plan.Name)}",
                .. After(name),
                "StartLimitIntervalSec=0",
                "",
                "[Service]",
                "Type=notify",
                $"ExecStart={string.Join(' ', plan.Program.Concat(Words(plan, name)).Select(Word))}",
                $"User={plan.User}",
                "Restart=always",
                "RestartSec=10",
                // Dozens of seconds without a word from a process that has nothing else to do: it hangs.
                "WatchdogSec=120",
                // A sync is ended cleanly, a transfer keeps what arrived; both take seconds.
                "TimeoutStopSec=60",
                "KillSignal=SIGTERM",
                "StateDirectory=apollo-checkpoint",
                "StateDirectoryMode=0700",
                .. Hardening,
                .. Own(plan, name),
                "",
                "[Install]",
                "WantedBy=multi-user.target",
                "",
            ]
        );

    private static string[] After(string name) =>
        name switch
        {
            Trigger => [$"After={FileName(Engine)}", $"Wants={FileName(Engine)}"],
            Offsite => ["After=network-online.target", "Wants=network-online.target"],
            _ => [],
        };

    private static string[] Words(InstallPlan plan, string name)
    {
        string[] target = plan.Target is null ? [] : ["--target", plan.Target];
        return name switch
        {
            Engine => ["serve", "--model-dir", plan.ModelDirectory, "--handles", plan.Handles, "--url", "http://127.0.0.1:5180"],
            Trigger => ["trigger", "--every", "10m", "--engine", "http://127.0.0.1:5180", "--url", "http://127.0.0.1:5181"],
            _ => ["offsite", "--at", "03:30", "--deltas", "--url", "http://127.0.0.1:5182", "--model-dir", plan.ModelDirectory, .. target],
        };
    }

    /// <summary>What no part needs. Not MemoryDenyWriteExecute: the runtime compiles as it goes. Not PrivateTmp: handles may lie in /tmp.</summary>
    private static readonly string[] Hardening =
    [
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectKernelTunables=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelLogs=yes",
        "ProtectControlGroups=yes",
        "ProtectClock=yes",
        "ProtectHostname=yes",
        "RestrictSUIDSGID=yes",
        "RestrictRealtime=yes",
        "RestrictNamespaces=yes",
        "LockPersonality=yes",
        "SystemCallArchitectures=native",
        "UMask=0077",
    ];

    private static string[] Own(InstallPlan plan, string name) =>
        name switch
        {
            // The engine opens the GPU and the producer's memory (/dev/shm), so no PrivateDevices.
            Engine =>
            [
                "ProtectHome=read-only",
                "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
                $"ReadWritePaths={Word(plan.ModelDirectory)} /dev/shm /tmp",
            ],
            Trigger =>
            [
                "ProtectHome=read-only",
                "PrivateDevices=yes",
                "PrivateTmp=yes",
                "CapabilityBoundingSet=",
                "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
                "IPAddressDeny=any",
                "IPAddressAllow=localhost",
            ],
            // ssh reads ~/.ssh; it writes nothing there, because an unknown host is refused.
            _ =>
            [
                "ProtectHome=read-only",
                "PrivateDevices=yes",
                "PrivateTmp=yes",
                "CapabilityBoundingSet=",
                "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
                $"ReadWritePaths={string.Join(' ', LocalTarget(plan).Prepend(plan.ModelDirectory).Select(Word))}",
            ],
        };

    private static string[] LocalTarget(InstallPlan plan) =>
        plan.Target is { } text && RsyncTarget.TryParse(text, out _) is { Host: null } target ? ["-" + target.Path] : [];

    /// <summary>A word of a unit: quoted where it must be, specifiers and variables made harmless.</summary>
    private static string Word(string word)
    {
        string text = Literal(word).Replace("$", "$$", StringComparison.Ordinal);
        return word.Length > 0 && !word.Any(c => c is ' ' or '"' or '\'' or '\\' or ';')
            ? text
            : "\"" + text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";
    }

    private static string Literal(string text) => text.Replace("%", "%%", StringComparison.Ordinal);
}
