/** `callmend healthcheck`, as a container runs it. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { version } from "../src/version.ts";
import { httpUpstream, program, proxyTo, rawUpstream } from "./_servers.ts";
import { test } from "./_test.ts";

/** Runs the check to its end. */
async function check(given: readonly string[], environment: { [name: string]: string } = {}) {
  await using running = program(["healthcheck", ...given], environment);
  const code = await running.code;
  return { code, out: running.out(), err: running.err() };
}

/** A port on which nothing listens. */
async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

test("a running server is well: exit code 0, by flag and by variable, without its other settings", async () => {
  await using proxy = proxyTo("http://127.0.0.1:1/v1");
  const port = String(proxy.port);
  const line = `http://127.0.0.1:${port}/health: callmend ${version} is well\n`;
  assert.deepEqual(await check(["--port", port]), { code: 0, out: line, err: "" });
  const environment = { PROXY_HOST: "0.0.0.0", PROXY_PORT: port, UPSTREAM_BASE_URL: "nonsense" };
  assert.deepEqual(await check([], environment), { code: 0, out: line, err: "" });
});

test("a proxy of the environment is not asked", async () => {
  await using proxy = proxyTo("http://127.0.0.1:1/v1");
  await using other = await httpUpstream((_, response) => void response.end("{}"));
  const address = `http://127.0.0.1:${other.port}`;
  const { code } = await check(["--port", String(proxy.port)], { HTTP_PROXY: address, http_proxy: address });
  assert.deepEqual([code, other.connections()], [0, 0]);
});

test("nothing there, something else there, an error, silence: exit code 1 and the reason", async () => {
  await using other = await httpUpstream((_, response) => void response.end('{"ok": true}'));
  await using sick = await httpUpstream((_, response) => void response.writeHead(503).end());
  await using silent = await rawUpstream(() => {});
  const cases = [
    [await freePort(), /Cannot call it healthy: http:\/\/127\.0\.0\.1:\d+\/health: \S+/],
    [String(other.port), /is not Callmend/],
    [String(sick.port), /status 503/],
    [String(silent.port), /no answer within 2 s/],
  ] as const;
  await Promise.all(cases.map(async ([port, reason]) => {
    const { code, out, err } = await check(["--port", port]);
    assert.deepEqual([code, out], [1, ""], err);
    assert.match(err, reason);
  }));
});

test("healthcheck --help has an example; a bad port is bad usage", async () => {
  const [help, bad] = await Promise.all([check(["--help"]), check(["--port", "x"])]);
  assert.equal(help.code, 0);
  assert.match(help.out, /PROXY_PORT[^]*Examples:\n {2}callmend healthcheck/);
  assert.equal(bad.code, 2);
  assert.match(bad.err, /--port "x"/);
});
