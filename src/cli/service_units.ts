/** The texts of the units: systemd's and launchd's. */
import { ownerOf, type OwnPath } from "./own_path.ts";

/** What a unit is made of. */
export interface Unit {
  readonly own: OwnPath;
  /** What is passed on to `serve`. */
  readonly settings: readonly string[];
  /** For one user's own account, not for the machine. */
  readonly user: boolean;
  readonly home: string;
  /** How long running answers may go on. */
  readonly drainSeconds: number;
  /** Where variables are read from; a usual place when not said. */
  readonly environmentFile?: string;
}

/** After the program's own time is up, the manager waits this much longer. */
const GRACE_SECONDS = 5;

/** What the kernel forbids the service, beyond what any account is forbidden; works without root too. */
const hardening = [
  "NoNewPrivileges=yes",
  "LockPersonality=yes",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
  "SystemCallArchitectures=native",
  "UMask=0077",
];

/** What only the machine's own manager can do. */
const hardeningByRoot = [
  "ProtectSystem=strict",
  "PrivateTmp=yes",
  "PrivateDevices=yes",
  "ProtectClock=yes",
  "ProtectControlGroups=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "ProtectProc=invisible",
  "CapabilityBoundingSet=",
];

/** The unit for systemd. */
export function systemdUnit(unit: Unit): string {
  const { own, settings, user, drainSeconds } = unit;
  const owner = user ? undefined : ownerOf(own);
  // Behind ProtectHome=yes an executable in somebody's home would not be there.
  const inHome = own.files.some((file) => /^\/(?:home|root|run\/user)\//.test(file));
  const account = user ? [] : [
    // An account that exists only while the service runs, unless nobody but its owner may read the program.
    owner === undefined ? "DynamicUser=yes" : `User=${owner}`,
    `ProtectHome=${inHome ? "read-only" : "yes"}`,
    // A folder of temporary files of its own would hide a program that lies in the common one.
    ...hardeningByRoot.filter((line) =>
      line !== "PrivateTmp=yes" || !own.files.some((file) => /^\/(?:var\/)?tmp\//.test(file))
    ),
  ];
  const [file, place, start] = user
    ? ["~/.config/systemd/user/callmend.service", "%h/.config/callmend/environment", "systemctl --user"]
    : ["/etc/systemd/system/callmend.service", "/etc/callmend/environment", "sudo systemctl"];
  const variables = { ...own.environment, ...(own.caches && { DENO_DIR: "%C/callmend" }) };
  return `# Callmend as a service. Save this as
#   ${file}
# and then: ${start} daemon-reload && ${start} enable --now callmend
${user ? "# It stops when you log out, unless: loginctl enable-linger\n" : ""}
[Unit]
Description=Callmend: makes tool calling work
Documentation=man:systemd.service(5)
${user ? "" : "Wants=network-online.target\nAfter=network-online.target\n"}
[Service]
ExecStart=${[...own.command, "serve", ...settings].map(systemdWord).join(" ")}
${Object.entries(variables).map(([name, value]) => `Environment=${name}=${value}\n`).join("")}\
# Variables, one a line, as UPSTREAM_BASE_URL=http://127.0.0.1:8000/v1; the place for keys. It need not be there.
EnvironmentFile=-${unit.environmentFile === undefined ? place : systemdPath(unit.environmentFile)}
# The debug logs go here, if they are switched on.
StateDirectory=callmend
WorkingDirectory=%S/callmend
${own.caches ? "CacheDirectory=callmend\n" : ""}\
Restart=on-failure
RestartSec=2
# Bad settings do not get better by starting again.
RestartPreventExitStatus=2
# Longer than --drain-timeout: running answers end first.
TimeoutStopSec=${drainSeconds + GRACE_SECONDS}
${[...account, ...hardening].join("\n")}

[Install]
WantedBy=${user ? "default" : "multi-user"}.target
`;
}

/** One word of `ExecStart=`: systemd reads quotes, `\`, `%` and `$` in it. */
function systemdWord(word: string, at: number): string {
  const text = systemdPath(word);
  const literal = at === 0 ? text : text.replaceAll("$", "$$$$"); // the first word has no variables in it
  return /^[\w@%+=:,./$-]+$/.test(literal)
    ? literal
    : `"${literal.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

const systemdPath = (path: string) => path.replaceAll("%", "%%");

/** Reads the variables of a file, for launchd has nothing of the kind, and becomes the program. */
const START = 'set -a; if [ -r "$0" ]; then . "$0"; fi; set +a; exec "$@"';

/** The property list for launchd. */
export function launchdUnit(unit: Unit): string {
  const { own, settings, user, home, drainSeconds } = unit;
  const environmentFile = unit.environmentFile ??
    (user ? `${home}/.config/callmend/environment` : "/etc/callmend/environment");
  const log = user ? `${home}/Library/Logs/callmend.log` : "/Library/Logs/callmend.log";
  const [file, domain, sudo] = user
    ? ["~/Library/LaunchAgents/callmend.plist", "gui/$UID", ""]
    : ["/Library/LaunchDaemons/callmend.plist", "system", "sudo "];
  const owner = user ? undefined : ownerOf(own);
  const text = (value: string) => `<string>${escaped(value)}</string>`;
  const entries: readonly (readonly [string, string])[] = [
    ["Label", text("callmend")],
    [
      "ProgramArguments",
      `<array>${
        ["/bin/sh", "-c", START, environmentFile, ...own.command, "serve", ...settings]
          .map((word) => `\n    ${text(word)}`).join("")
      }\n  </array>`,
    ],
    ...(Object.keys(own.environment).length === 0 ? [] : [
      [
        "EnvironmentVariables",
        `<dict>${
          Object.entries(own.environment).map(([name, value]) => `\n    <key>${name}</key>${text(value)}`)
            .join("")
        }\n  </dict>`,
      ] as const,
    ]),
    ["RunAtLoad", "<true/>"],
    // Started again when it fails, not when it was told to stop.
    ["KeepAlive", "<dict>\n    <key>SuccessfulExit</key><false/>\n  </dict>"],
    ["ThrottleInterval", "<integer>10</integer>"],
    ["ExitTimeOut", `<integer>${drainSeconds + GRACE_SECONDS}</integer>`],
    ["ProcessType", text("Interactive")],
    ["WorkingDirectory", text(user ? home : "/var/empty")],
    ["StandardOutPath", text(log)],
    ["StandardErrorPath", text(log)],
    ["Umask", "<integer>63</integer>"],
    // No account is made for a daemon: it runs as the one that may do least, if that may read the program.
    ...(user || (owner !== undefined && owner !== 0)
      ? []
      : [["UserName", text(owner === undefined ? "nobody" : "root")] as const]),
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Callmend as a service. Save this as ${file}
     and then: ${sudo}launchctl bootstrap ${domain} ${file}
     Variables, one a line, as UPSTREAM_BASE_URL=http://127.0.0.1:8000/v1, are read from
     ${escaped(environmentFile).replaceAll("--", "- -")} if it is there: the place for keys. -->
<plist version="1.0">
<dict>
${entries.map(([key, value]) => `  <key>${key}</key>\n  ${value}\n`).join("")}</dict>
</plist>
`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    '"',
    "&quot;",
  );
}
