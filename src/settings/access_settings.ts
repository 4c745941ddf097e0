/** The settings that say where the server listens, for whom, and what it stands in front of. */
import { define } from "./setting.ts";
import { address, host, key, keys, onOff, origin, path, whole } from "./setting_values.ts";

/** Their part of the table. */
export const accessSettings = define({
  configFile: {
    ...path,
    flag: "--config",
    variable: "CALLMEND_CONFIG",
    default: undefined,
    means: "the configuration file, instead of callmend.jsonc here or in the user's folder of settings",
    example: "callmend.jsonc",
    placeholder: "<file>",
    server: true,
  },
  upstream: {
    ...address,
    flag: "--upstream",
    variable: "UPSTREAM_BASE_URL",
    default: "https://nano-gpt.com/api/v1",
    means: "the model server's address, with its version path",
    example: "https://openrouter.ai/api/v1",
    server: true,
  },
  upstreamOrigin: {
    ...origin,
    flag: "--upstream-origin",
    variable: "UPSTREAM_URL",
    default: undefined,
    means: "the model server's origin, instead of --upstream; its API is taken to be under /v1",
    example: "http://127.0.0.1:8000",
    server: true,
  },
  upstreamKey: {
    ...key,
    flag: "--upstream-key",
    variable: "UPSTREAM_API_KEY",
    default: undefined,
    means:
      "the key for the upstream, instead of the client's; prefer the variable: others on the machine can read flags",
    example: "$OPENROUTER_KEY",
    entry: "key",
    secret: true,
    server: true,
  },
  host: {
    ...host,
    flag: "--host",
    variable: "PROXY_HOST",
    default: "127.0.0.1",
    means: "the address to listen on; 0.0.0.0 lets other machines in",
    example: "0.0.0.0",
    place: "listen.host",
    server: true,
  },
  port: {
    ...whole({ from: 0, to: 65_535 }),
    flag: "--port",
    variable: "PROXY_PORT",
    default: "8787",
    means: "the port to listen on; 0 picks a free one and prints it",
    example: "9000",
    place: "listen.port",
    server: true,
  },
  clientKeys: {
    ...keys,
    flag: "--client-keys",
    variable: "CLIENT_KEYS",
    default: undefined,
    means:
      "by comma: who asks has to send one of these keys; prefer the variable: others on the machine can read flags",
    example: "$KEY_OF_ANN,$KEY_OF_BOB",
    place: "auth.keys",
    secret: true,
    server: true,
  },
  insecure: {
    ...onOff,
    flag: "--insecure",
    variable: "INSECURE",
    default: "0",
    means: "1: listen on an address that other machines reach, without --client-keys",
    example: "1",
    place: "auth.insecure",
    server: true,
  },
});
