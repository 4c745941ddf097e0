/**
 * `deno task test:platforms`: compiles executables for other platforms than this one, and runs their tests in emulators of
 * Linux x64: QEMU's user mode for Linux arm64, Wine for Windows. What is not installed is said, and passed over.
 * The Debian packages: qemu-user libc6-arm64-cross, wine64 binutils-mingw-w64-x86-64.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import manifest from "../deno.json" with { type: "json" };

type Variables = { readonly [name: string]: string };

/** How executables of a platform are run here. */
interface Emulator {
  readonly platform: string;
  readonly command: readonly string[];
  /** What has to be there. */
  readonly needs: readonly string[];
  /** What its processes need in their environment; made in the folder. */
  readonly prepare?: (folder: string) => Variables;
}

const WINE = "/usr/lib/wine/wine64";
const MINGW = "/usr/bin/x86_64-w64-mingw32-";

const emulators: readonly Emulator[] = [
  {
    platform: "linux-arm64",
    command: ["/usr/bin/qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"],
    needs: ["/usr/bin/qemu-aarch64", "/usr/aarch64-linux-gnu/lib/libc.so.6"],
  },
  { platform: "windows-x64", command: [WINE], needs: [WINE, `${MINGW}as`, `${MINGW}ld`], prepare: wine },
];

/**
 * A Wine of its own. Wine 8 lacks a library that Windows has had since version 7, of which Bun uses one function; another
 * library has the same under its old name.
 */
function wine(folder: string): Variables {
  const [definition, object, library] = ["prng.def", "empty.o", "bcryptprimitives.dll"].map((name) =>
    resolve(folder, name)
  );
  writeFileSync(
    definition!,
    "LIBRARY bcryptprimitives\nEXPORTS\n  ProcessPrng = advapi32.SystemFunction036\n",
  );
  done(spawnSync(`${MINGW}as`, ["-o", object!, "/dev/null"], { encoding: "utf8" }));
  done(
    spawnSync(`${MINGW}ld`, ["-shared", "-e", "0", object!, definition!, "-o", library!], {
      encoding: "utf8",
    }),
  );
  const WINEPATH = `Z:${folder.replaceAll("/", "\\")}`;
  // Without menus: Wine would put them into HOME.
  const WINEDLLOVERRIDES = "winemenubuilder.exe=d";
  const variables = { WINEPREFIX: resolve(folder, "wine"), WINEPATH, WINEDLLOVERRIDES, WINEDEBUG: "-all" };
  // The first start makes the folders that it takes for a disk of Windows.
  done(spawnSync(WINE, ["cmd", "/c", "ver"], { encoding: "utf8", env: { ...process.env, ...variables } }));
  return variables;
}

function done({ status, error, stdout, stderr }: ReturnType<typeof spawnSync>): void {
  if (status !== 0) throw new Error(`a command has failed: ${error ?? ""} ${stdout} ${stderr}`);
}

const root = fileURLToPath(new URL("../", import.meta.url));
const there = emulators.filter(({ platform, needs }) => {
  const missing = needs.filter((path) => !existsSync(path));
  if (missing.length > 0) console.log(`skipped: ${platform}: ${missing.join(", ")} is not there`);
  return missing.length === 0;
});
let failed = false;
for (const { platform, command, prepare } of there) {
  const out = resolve(root, "dist", "platforms", platform);
  mkdirSync(out, { recursive: true });
  const deno = (given: readonly string[], env: Variables = {}) =>
    spawnSync(process.execPath, given, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } })
      .status;
  const suffix = platform.startsWith("windows") ? ".exe" : "";
  const compiled = deno(["run", "-A", ".ci/compile.ts", "--target", platform, "--out", out]);
  const tested = compiled || deno(["test", "-A", "tests/executable_test.ts"], {
    ...prepare?.(out),
    EXECUTABLE: resolve(out, `callmend-${manifest.version}-${platform}${suffix}`),
    PLATFORM: platform,
    EMULATOR: command.join(" "),
  });
  failed ||= tested !== 0;
}
process.exit(failed ? 1 : 0);
