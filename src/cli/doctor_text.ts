/** The doctor's report, for people. */
import type { CheckResult, Findings } from "../doctor/findings.ts";
import type { Consultation } from "./doctor_run.ts";

const row = (name: string, text: string) => `  ${name.padEnd(10)}${text}`;

/** The lines of the report. */
export function reportLines({ upstreams, models }: Consultation): string[] {
  const where = upstreams.map(({ address }) => address).join(", ");
  const more = upstreams.reduce((sum, { listed }) => sum + listed, 0) - models.length;
  return [
    ...models.flatMap((findings) => [...modelLines(findings), ""]),
    `${
      models.filter(({ usable }) => usable).length
    } of ${models.length} models at ${where} usable for tool calling ` +
    `through Callmend.${more > 0 ? ` ${more} more are listed; --model names those to ask.` : ""}`,
  ];
}

function modelLines(findings: Findings): string[] {
  const { model, usable, why, quirks, lines } = findings;
  return [
    `── ${model}`,
    row("usable", `${usable ? "yes" : "NO"}: ${why}`),
    row("calls", calls(findings)),
    row("streaming", findings.streaming),
    row("finish", finishes(findings)),
    row("context", findings.context),
    ...checkLines(findings.checks),
    ...quirks.map(({ symptom, what, checks, answeredBy }, n) =>
      row(
        n === 0 ? "quirks" : "",
        `${symptom.padEnd(5)} ${what.replaceAll("`", "")} (${checks.join(", ")}); ` +
          (answeredBy.length === 0 ? "not mended" : `mended by ${answeredBy.join(", ")}`),
      )
    ),
    ...(quirks.length === 0 ? [row("quirks", "none seen")] : []),
    row("fixes", findings.fixes.join(", ") || "none needed"),
    ...(findings.bridge === null ? [] : [
      row("bridge", findings.bridge.works ? "works" : `does not work: ${findings.bridge.said.join("; ")}`),
    ]),
    ...(lines === null ? [] : [
      row("flags", lines.flags),
      row("or file", JSON.stringify(lines.file)),
    ]),
  ];
}

function finishes({ finishReasons, clientFinishReasons }: Findings): string {
  const list = (words: readonly string[]) => words.map((word) => JSON.stringify(word)).join(", ") || "none";
  const [raw, client] = [list(finishReasons), list(clientFinishReasons)];
  return raw === client ? raw : `${raw}; clients get ${client}`;
}

function calls({ calls }: Findings): string {
  const ways = calls.map((way) => {
    if (way === "native") return "native tool_calls";
    if (way === "refused") return "requests with tools are refused";
    return way === "none" ? "none were made" : `as text, in the dialect ${way}`;
  });
  return ways.join("; ");
}

/** One line a check where both forms came to the same, else one for each form. */
function checkLines(checks: readonly CheckResult[]): string[] {
  const lines = [...Map.groupBy(checks, ({ check }) => check)].flatMap(([check, forms]) => {
    const said = forms.map((each) => `${mark(each.outcome)} ${each.said}`);
    const same = forms.length > 1 && new Set(said).size === 1;
    if (same) return [`${check.padEnd(13)}${said[0]}`];
    return forms.map(({ form }, n) => `${check.padEnd(13)}${form.padEnd(7)}${said[n]}`);
  });
  return lines.map((line, n) => row(n === 0 ? "checks" : "", line));
}

const mark = (outcome: string) => outcome === "good" ? "+" : outcome === "bad" ? "-" : "?";
