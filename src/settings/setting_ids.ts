/** The kinds of settings that name dialects and fixes by their ids. */
import { dialectIds } from "../dialects/ids.ts";
import { fixIds as allFixIds } from "../fixes/ids.ts";
import type { DialectRule } from "../repair_config.ts";
import { kind, Refused, type Zod } from "./setting.ts";
import { checked, parts } from "./setting_values.ts";
import { suggestion } from "./suggest.ts";

/** Which of the ids may be meant by one that is none of them. */
function hintFor(id: string, ids: readonly string[]): string {
  const meant = suggestion(id, ids);
  return meant === undefined ? "" : `; did you mean ${JSON.stringify(meant)}?`;
}

/** What is wrong with an id. */
function idProblem(what: string, id: string, ids: readonly string[]): string | undefined {
  return ids.includes(id) ? undefined : `there is no ${what} ${JSON.stringify(id)}${hintFor(id, ids)}`;
}

/** A list of ids; editors complete it. */
function idList(z: Zod, what: string, ids: readonly string[]) {
  const id = checked(z, (id) => idProblem(what, id, ids));
  return z.array(id.register(z.globalRegistry, { enum: [...ids] }));
}

type IdsByModel = { [models: string]: string[] };

function idsByModel(text: string): IdsByModel {
  return Object.fromEntries(
    text.split(";").filter((part) => part.trim() !== "").map((part) => {
      const at = part.indexOf("=");
      return [
        at === -1 ? "*" : part.slice(0, at).trim(),
        part.slice(at + 1).split(",").map((id) => id.trim()),
      ];
    }),
  );
}

const toRules = (byModel: IdsByModel): readonly DialectRule[] =>
  Object.entries(byModel).map(([models, dialects]) => ({ models, dialects }));

/** `glm,hermes`, or `glm-*=glm;deepseek*=dsml,hermes`. */
export const dialectRules = kind<readonly DialectRule[]>({
  placeholder: "<ids>",
  allowed: "ids of `callmend dialects` by comma, for all models or as <model>=<ids> by semicolon",
  allowedInFile: "a list of ids of `callmend dialects`, or such a list for each model",
  words: dialectIds,
  read(text) {
    const byModel = idsByModel(text);
    const problem = Object.values(byModel).flat()
      .map((id) => idProblem("dialect", id, dialectIds)).find((problem) => problem !== undefined);
    return problem === undefined ? toRules(byModel) : new Refused(problem);
  },
  inFile(z) {
    const ids = idList(z, "dialect", dialectIds);
    const some = z.union([ids, z.record(z.string(), ids)]);
    return z.pipe(some, z.transform((some) => toRules(Array.isArray(some) ? { "*": some } : some)));
  },
  written(rules) {
    const [first] = rules;
    if (rules.length === 1 && first!.models === "*") return [...first!.dialects];
    return Object.fromEntries(rules.map(({ models, dialects }) => [models, [...dialects]]));
  },
});

const listedFixes = (text: string) => parts(text).filter((id) => id !== "none");

/** Vendor fixes by comma, or `none`. */
export const fixIds = kind<readonly string[]>({
  placeholder: "<ids>",
  allowed: "ids of fixes, by comma, as `callmend fixes` lists them, or none",
  allowedInFile: "a list of ids of fixes, as `callmend fixes` lists them",
  words: allFixIds,
  read(text) {
    const listed = listedFixes(text);
    const unknown = listed.filter((id) => !allFixIds.includes(id));
    if (unknown.length === 0) return listed;
    const hint = unknown.length === 1 ? hintFor(unknown[0]!, allFixIds) : "";
    return new Refused(`there is no fix ${unknown.join(", ")}${hint}`);
  },
  inFile: (z) => idList(z, "fix", allFixIds),
});
