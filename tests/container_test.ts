/**
 * The container image: `deno task test:container` builds it with buildah and runs it as strictly as an orchestrator
 * can, by runc; without that task's variable CONTAINER there is nothing to test.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import manifest from "../deno.json" with { type: "json" };
import { Images, imagesCannotBeBuilt } from "./_image.ts";
import { ask, httpUpstream, type Program, spawned, until } from "./_servers.ts";
import { test } from "./_test.ts";

const RUNTIME_IMAGE = "gcr.io/distroless/base-nossl-debian12:nonroot";
const BUILD_IMAGE = "docker.io/library/node:22-bookworm-slim";
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** A container that runs; it is killed at the end of the block. */
class Container implements AsyncDisposable {
  static #count = 0;
  readonly #id = `callmend-test-${process.pid}-${Container.#count++}`;
  readonly #options: readonly string[];
  readonly program: Program;

  constructor(images: Images, files: string, given: readonly string[], env: readonly string[], user: number) {
    const bundle = images.bundle(files, env, user, given);
    this.#options = ["--root", join(images.folder, "run/runc")];
    const { PATH = "" } = process.env;
    this.program = spawned("runc", [...this.#options, "run", "--bundle", bundle, this.#id], {
      env: { PATH },
    });
  }

  /** Runs a command inside, as a health check does. */
  exec(command: readonly string[]): { readonly code: number | null; readonly text: string } {
    const { status, stdout, stderr } = spawnSync("runc", [...this.#options, "exec", this.#id, ...command], {
      encoding: "utf8",
    });
    return { code: status, text: stdout + stderr };
  }

  stop(signal: string): void {
    spawnSync("runc", [...this.#options, "kill", this.#id, signal]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    spawnSync("runc", [...this.#options, "delete", "--force", this.#id]);
    await this.program[Symbol.asyncDispose]();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function body(): Promise<void> {
  using images = new Images();
  images.makeRuntimeBase(RUNTIME_IMAGE);
  images.makeBuildBase(BUILD_IMAGE);
  images.build("callmend:test", { CALLMEND_COMMIT: COMMIT });

  // What it says about itself.
  const config = images.config("callmend:test");
  assert.equal(config.User, "65532:65532");
  assert.deepEqual(config.Entrypoint, ["/usr/bin/callmend"]);
  assert.deepEqual(config.Healthcheck.Test, ["CMD", "/usr/bin/callmend", "healthcheck"]);
  assert.deepEqual(Object.keys(config.ExposedPorts), ["8787/tcp"]);
  assert.equal(config.StopSignal, "SIGTERM");
  const files = images.files("callmend:test");
  for (const shell of ["bin/sh", "usr/bin/sh", "usr/bin/dash", "usr/bin/env", "usr/bin/apt-get"]) {
    assert.ok(!existsSync(join(files, shell)), `${shell} is in the image`);
  }
  assert.deepEqual(
    readdirSync(join(files, "usr/bin")).filter((name) => /callmend|deno|bun|node/.test(name)),
    [
      "callmend",
    ],
  );

  // The commit that the build was told.
  await using facts = new Container(
    images,
    files,
    [...config.Entrypoint, "version", "--json"],
    config.Env,
    65532,
  );
  assert.equal(await facts.program.code, 0, facts.program.err());
  const { version, commit } = JSON.parse(facts.program.out());
  assert.deepEqual([version, commit], [manifest.version, COMMIT]);

  // Serving: the image's own user and any other, nothing writable.
  await using upstream = await httpUpstream((request, response) => void response.end(`model ${request.url}`));
  for (const user of [65532, 1000680000]) {
    const port = await freePort();
    const env = [
      ...config.Env,
      `PROXY_PORT=${port}`,
      `UPSTREAM_BASE_URL=http://127.0.0.1:${upstream.port}/v1`,
    ];
    await using container: Container = new Container(images, files, config.Entrypoint, env, user);
    const { program } = container;
    assert.equal(await program.port(), port, program.err());
    assert.match(program.out(), /listening on http:\/\/0\.0\.0\.0:/);
    const check = container.exec(config.Healthcheck.Test.slice(1));
    assert.equal(check.code, 0, check.text);
    assert.equal((await ask(port, "/v1/models")).body.toString(), "model /v1/models");
    container.stop(config.StopSignal);
    assert.equal(await program.code, 0, program.err());
    await until("the signal is told", () => program.err().includes("SIGTERM: no new requests"));
  }

  // A health check that finds nothing.
  const check = [...config.Healthcheck.Test.slice(1), "--port", String(await freePort())];
  await using unhealthy = new Container(images, files, check, config.Env, 65532);
  assert.equal(await unhealthy.program.code, 1, unhealthy.program.err());
}

if (process.env["CONTAINER"]) {
  const reason = imagesCannotBeBuilt();
  if (reason === undefined) test("container: built, small, and runs read-only as any user", body);
  else test(`container: skipped, as ${reason}`, () => console.log(`Images cannot be built here: ${reason}.`));
}

test("compose.yaml serves on 8787 what the Dockerfile exposes", () => {
  const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
  assert.match(read("Dockerfile"), /^EXPOSE 8787$/m);
  assert.match(read("compose.yaml"), /:8787:8787"$/m);
});
