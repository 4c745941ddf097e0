/** Bare proxies for Bun or Deno, to measure against: `bytes` through JavaScript, or `parse`: each event both ways. */
import process from "node:process";
import { listen } from "../../src/listen.ts";
import { parseBothWays, through } from "./floor.ts";

const [kind, upstream] = process.argv.slice(2);

const server = listen({ host: "127.0.0.1", port: 0 }, async (request) => {
  const body = await request.arrayBuffer();
  const response = await fetch(`${upstream}/chat/completions`, { method: "POST", body });
  return through(response, kind === "parse" ? parseBothWays() : (bytes) => bytes);
});
console.log(`listening on http://127.0.0.1:${server.port}`);
