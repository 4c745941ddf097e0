/** Container images without an engine or a registry: buildah builds them, runc runs them, bases come from Debian. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

/** What the image says about running it. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Healthcheck: { readonly Test: readonly string[] };
  readonly ExposedPorts: { readonly [port: string]: unknown };
  readonly StopSignal: string;
}

/** Why images cannot be built here; undefined when they can. */
export function imagesCannotBeBuilt(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "this is not Linux on x64";
  if (process.getuid?.() !== 0) return "this user is not root";
  for (const program of ["buildah", "runc", "apt-get", "dpkg-deb"]) {
    if (spawnSync(program, ["--version"]).status !== 0) return `there is no ${program}`;
  }
}

/** The packages that `base-nossl-debian12` is made of. */
const RUNTIME = ["base-files", "ca-certificates", "libc6", "netbase", "tzdata"];

/** A shell and what Node is linked with; Node itself is this machine's. */
const BUILD = [
  ...RUNTIME,
  "dash",
  "coreutils",
  "libacl1",
  "libattr1",
  "libgcc-s1",
  "libgmp10",
  "libpcre2-8-0",
]
  .concat("libselinux1", "libstdc++6");

/** A store of images of its own, gone at the end of the block. */
export class Images implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "callmend-images-"));

  constructor() {
    writeFileSync(this.#in("policy.json"), '{"default": [{"type": "insecureAcceptAnything"}]}');
    for (const name of ["apt", "run", "store"]) mkdirSync(this.#in(name));
  }

  #in(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** Runs buildah; its output is returned. */
  buildah(command: string, ...given: string[]): string {
    const store = ["--storage-driver", "vfs", "--root", this.#in("store"), "--runroot", this.#in("run")];
    const { status, stdout, stderr } = spawnSync("buildah", [...store, command, ...given], {
      encoding: "utf8",
      cwd: root,
      maxBuffer: 2 ** 26,
      env: { ...process.env, TMPDIR: this.folder },
    });
    if (status !== 0) throw new Error(`buildah ${command} failed:\n${stdout}${stderr}`);
    return stdout;
  }

  /** Unpacks packages of Debian; what is installed is what distroless installs: no package's scripts are run. */
  #unpack(packages: readonly string[], folder: string): void {
    for (const name of ["bin", "lib", "lib64", "sbin"]) {
      mkdirSync(join(folder, "usr", name), { recursive: true });
      symlinkSync(`usr/${name}`, join(folder, name));
    }
    const apt = this.#in("apt");
    const options = ["-qq", "-o", "APT::Sandbox::User=root"];
    execFileSync("apt-get", [...options, "download", ...packages], { cwd: apt, stdio: "ignore" });
    for (const name of packages) {
      const file = readdirSync(apt).find((each) => each.startsWith(`${name}_`))!;
      execFileSync("sh", [
        "-c",
        'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2"',
        "sh",
        join(apt, file),
        folder,
      ]);
    }
    const authorities = join(folder, "etc/ssl/certs/ca-certificates.crt");
    mkdirSync(dirname(authorities), { recursive: true });
    const certificates = join(folder, "usr/share/ca-certificates/mozilla");
    for (const name of readdirSync(certificates)) {
      appendFileSync(authorities, readFileSync(join(certificates, name)));
    }
    writeFileSync(
      join(folder, "etc/passwd"),
      "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n",
    );
    writeFileSync(join(folder, "etc/group"), "root:x:0:\nnonroot:x:65532:\n");
    mkdirSync(join(folder, "home/nonroot"), { recursive: true });
    mkdirSync(join(folder, "tmp"), { recursive: true });
    chmodSync(join(folder, "tmp"), 0o1777);
  }

  #commit(folder: string, name: string, ...config: string[]): void {
    const container = this.buildah("from", "scratch").trim();
    this.buildah("copy", "--quiet", container, folder, "/");
    this.buildah("config", ...config, container);
    this.buildah("commit", "--quiet", "--signature-policy", this.#in("policy.json"), "--rm", container, name);
    rmSync(folder, { recursive: true });
  }

  /** Puts distroless's `base-nossl-debian12:nonroot` together, under its name. */
  makeRuntimeBase(name: string): void {
    const folder = this.#in("runtime");
    this.#unpack(RUNTIME, folder);
    const env = ["--env", "PATH=/usr/local/bin:/usr/bin:/bin"];
    const certificates = ["--env", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"];
    this.#commit(folder, name, "--user", "65532", "--workingdir", "/home/nonroot", ...env, ...certificates);
  }

  /** Puts a base with a shell, Node and npm together, and with the authorities that this machine trusts. */
  makeBuildBase(name: string): void {
    const folder = this.#in("build");
    this.#unpack(BUILD, folder);
    const npm = dirname(
      dirname(execFileSync("readlink", ["-f", "/usr/bin/npm"], { encoding: "utf8" }).trim()),
    );
    const copy = (path: string) => cpSync(path, join(folder, path), { recursive: true, dereference: true });
    for (const path of ["/usr/bin/node", npm, "/etc/ssl/certs/ca-certificates.crt"]) copy(path);
    for (const path of ["/root/.npmrc", "/usr/etc/npmrc"]) if (existsSync(path)) copy(path);
    symlinkSync(join(npm, "bin/npm-cli.js"), join(folder, "usr/bin/npm"));
    symlinkSync(join(npm, "bin/npx-cli.js"), join(folder, "usr/bin/npx"));
    const certificates = "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt";
    this.#commit(folder, name, "--env", "PATH=/usr/local/bin:/usr/bin:/bin", "--env", certificates);
  }

  /** Builds the Dockerfile. */
  build(name: string, given: { readonly [argument: string]: string } = {}): void {
    const each = Object.entries(given).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]);
    const options = ["--isolation", "chroot", "--format", "docker", "--pull-never"];
    const policy = ["--signature-policy", this.#in("policy.json")];
    this.buildah("build", ...options, ...policy, ...each, "--tag", name, ".");
  }

  /** What the image says about running it. */
  config(name: string): ImageConfig {
    return JSON.parse(this.buildah("inspect", "--type", "image", name)).Docker.config;
  }

  /** The image's files, as a folder. */
  files(name: string): string {
    const container = this.buildah("from", "--pull-never", name).trim();
    return this.buildah("mount", container).trim();
  }

  /**
   * Writes a bundle for runc out of an image: its files read-only, no capability, no new privileges, any user;
   * the network is this machine's. Gives the folder of the bundle.
   */
  bundle(files: string, env: readonly string[], user: number, args: readonly string[]): string {
    const folder = mkdtempSync(this.#in("bundle-"));
    const config = {
      ociVersion: "1.0.2",
      process: {
        user: { uid: user, gid: 0 },
        args,
        env,
        cwd: "/",
        noNewPrivileges: true,
        capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
      },
      root: { path: files, readonly: true },
      mounts: [
        { destination: "/proc", type: "proc", source: "proc" },
        {
          destination: "/dev",
          type: "tmpfs",
          source: "tmpfs",
          options: ["nosuid", "mode=755", "size=65536k"],
        },
      ],
      linux: { namespaces: ["pid", "ipc", "uts", "mount"].map((type) => ({ type })) },
    };
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    return folder;
  }

  [Symbol.dispose](): void {
    spawnSync("buildah", [
      ...["--storage-driver", "vfs", "--root", this.#in("store"), "--runroot", this.#in("run")],
      ...["rm", "--all"],
    ]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
