/** The tables of the README, made from the registry and the settings; `deno task readme` writes them. */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { dialects } from "../src/dialects/mod.ts";
import { openersOf } from "../src/dialects/describe.ts";
import { fixes } from "../src/fixes/mod.ts";
import { debugVariables } from "../src/observe/debug_settings.ts";
import { symptoms } from "../src/doctor/symptoms.ts";
import { type Setting, settingRows } from "../src/settings/settings.ts";
import { vectorFiles } from "./_vectors.ts";

const path = new URL("../README.md", import.meta.url);
const countsPath = new URL("../src/cli/vector_counts.json", import.meta.url);

/** How many vectors each dialect has; `callmend dialects` shows them, and has no fixtures at hand. */
export function vectorCounts(): { readonly [id: string]: number } {
  return Object.fromEntries(
    dialects.map(({ id }) => [
      id,
      vectorFiles.filter((file) => file.dialect === id).flatMap(({ cases }) => cases).length,
    ]),
  );
}

const tables: { readonly [name: string]: () => string } = {
  dialects: () =>
    table(
      ["dialect", "written by", "opens with", "known elsewhere as", "vectors"],
      dialects.map((dialect) => [
        `\`${dialect.id}\``,
        dialect.models,
        openersOf(dialect).map((text) => `\`${text.trim().replaceAll("|", "\\|")}\``).join(", "),
        dialect.aka.map((name) => `\`${name}\``).join(", ") || "–",
        String(vectorCounts()[dialect.id] ?? 0),
      ]),
    ),
  fixes: () =>
    table(
      ["fix", "what goes wrong, and what it does", "seen in"],
      fixes.map(({ id, why, ref, off }) => [`\`${id}\`${off ? " (off)" : ""}`, why, ref]),
    ),
  symptoms: () =>
    table(
      ["symptom", "", "mended by", "status", "what is left, and why"],
      symptoms.map(({ number, what, by, left }) => {
        const ids = fixes.filter((fix) => fix.symptoms.includes(number)).map(({ id }) => `\`${id}\``);
        const places = [...(by === undefined ? [] : [by]), ...ids];
        const status = left === undefined ? "mended" : places.length > 0 ? "mended in part" : "left";
        return [number, what, places.join(", ") || "–", status, left ?? ""];
      }),
    ),
  debug: () =>
    table(
      ["variable", "what it does"],
      debugVariables.map(({ variable, means }) => [`\`${variable}\``, means]),
    ),
  settings: () =>
    table(
      ["flag", "variable", "in the file", "default", "what it does"],
      settingRows.map(([, setting]) => [
        `\`${`${setting.flag} ${setting.placeholder}`.trimEnd()}\``,
        `\`${setting.variable}\``,
        placeOf(setting),
        setting.default === undefined ? "–" : `\`${setting.default}\``,
        setting.means,
      ]),
    ),
};

/** Where a setting stands in the configuration file; `[]` is an entry of `upstreams`. */
function placeOf({ place, entry }: Setting): string {
  const own = entry === undefined || entry === place ? [] : [`[].${entry}`];
  return [...(place === undefined ? [] : [place]), ...own].map((each) => `\`${each}\``).join(", ") || "–";
}

/** The README with its tables as they should be. */
export function upToDate(): { readonly now: string; readonly wanted: string } {
  const now = readFileSync(path, "utf8");
  const wanted = now.replace(
    /(<!-- table: (\w+)[^>]*-->\n)[^]*?(<!-- end -->)/g,
    (_, start: string, name: string, end: string) => `${start}\n${tables[name]!()}\n${end}`,
  );
  return { now, wanted };
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}

if (import.meta.main) {
  const { now, wanted } = upToDate();
  if (now !== wanted) writeFileSync(path, wanted);
  writeFileSync(countsPath, JSON.stringify(vectorCounts(), null, 2) + "\n");
  console.log(now === wanted ? "README.md is up to date" : "README.md rewritten");
  process.exit(0);
}
