/** What an executable is made of, as a CycloneDX document: read from deno.json, deno.lock and node_modules. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import manifest from "../deno.json" with { type: "json" };
import type { Build } from "../src/version.ts";

const root = new URL("../", import.meta.url);

/** A package of deno.lock. */
interface Locked {
  readonly integrity: string;
  readonly dependencies?: readonly string[];
}

/** What of deno.lock matters here. */
interface Lock {
  /** From `npm:zod@4.6.7` to the version that was taken. */
  readonly specifiers: { readonly [specifier: string]: string };
  readonly npm: { readonly [key: string]: Locked };
}

const { specifiers, npm: packages } = JSON.parse(readFileSync(new URL("deno.lock", root), "utf8")) as Lock;

/** `@scope/name@1.2.3_peer@4.5.6`, the way deno.lock names a package. */
function nameAndVersion(key: string): readonly [name: string, version: string] {
  const [, name, version] = /^(@?[^@]+)@([^_]+)/.exec(key)!;
  return [name!, version!];
}

/** The packages that files of `src` import by name: what else deno.json lists is for the tests. */
function imported(): Set<string> {
  const names = new Set<string>();
  for (const path of readdirSync(new URL("src/", root), { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".ts")) continue;
    const source = readFileSync(new URL(`src/${path.replaceAll("\\", "/")}`, root), "utf8");
    for (const name of Object.keys(manifest.imports)) {
      if (source.includes(` from "${name}"`) || source.includes(` from "${name}/`)) names.add(name);
    }
  }
  return names;
}

/** Keys of deno.lock for these packages and all that they depend on. */
function closure(names: Iterable<string>): string[] {
  const keys = new Set<string>();
  const visit = (key: string) => {
    if (keys.has(key)) return;
    keys.add(key);
    for (const dependency of packages[key]?.dependencies ?? []) {
      const found = Object.keys(packages).find((other) =>
        other === dependency || other.startsWith(`${dependency}_`) || nameAndVersion(other)[0] === dependency
      );
      if (found !== undefined) visit(found);
    }
  };
  for (const name of names) {
    visit(`${name}@${specifiers[manifest.imports[name as keyof typeof manifest.imports]]}`);
  }
  return [...keys].sort();
}

function component(key: string) {
  const [name, version] = nameAndVersion(key);
  // Where Deno puts each version; only what deno.json names is linked from outside.
  const folder = `node_modules/.deno/${name.replace("/", "+")}@${version}/node_modules/${name}`;
  const text = readFileSync(new URL(`${folder}/package.json`, root), "utf8");
  const { license, description } = JSON.parse(text) as { license?: string; description?: string };
  const sha512 = packages[key]!.integrity.replace(/^sha512-/, "");
  return {
    type: "library",
    "bom-ref": purl(name, version),
    name,
    version,
    ...(description === undefined ? {} : { description }),
    purl: purl(name, version),
    hashes: [{ alg: "SHA-512", content: Buffer.from(sha512, "base64").toString("hex") }],
    ...(license === undefined
      ? {}
      : { licenses: [/ /.test(license) ? { expression: license } : { license: { id: license } }] }),
  };
}

const purl = (name: string, version: string) => `pkg:npm/${name.replace("@", "%40")}@${version}`;

/** The document for the executables of one build; `runtime` is what they carry with them. */
export function sbom(
  { commit, built }: Build,
  runtime: { readonly name: string; readonly version: string },
): string {
  const own = `pkg:generic/callmend@${manifest.version}`;
  const engine = {
    type: "platform",
    "bom-ref": purl(runtime.name, runtime.version),
    purl: purl(runtime.name, runtime.version),
    ...runtime,
    licenses: [{ license: { id: "MIT" } }],
  };
  const libraries = closure(imported()).map(component);
  const digits = createHash("sha256").update(`${own} ${commit} ${built}`).digest("hex");
  const serial = [[0, 8], [8, 12], [13, 16], [17, 20], [20, 32]].map(([from, to]) => digits.slice(from, to));
  const document = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${serial[0]}-${serial[1]}-4${serial[2]}-8${serial[3]}-${serial[4]}`,
    version: 1,
    metadata: {
      timestamp: built,
      component: {
        type: "application",
        "bom-ref": own,
        name: "callmend",
        version: manifest.version,
        purl: own,
        licenses: [{ license: { id: "MIT" } }],
        properties: [{ name: "callmend:commit", value: commit }],
      },
    },
    components: [engine, ...libraries],
    dependencies: [
      { ref: own, dependsOn: [engine, ...libraries].map((each) => each["bom-ref"]) },
      ...[engine, ...libraries].map((each) => ({ ref: each["bom-ref"], dependsOn: [] })),
    ],
  };
  return JSON.stringify(document, null, 2) + "\n";
}
