/** The kinds of settings that name dialects and fixes by their ids. */
import * as z from "zod/mini";
import { dialectIds } from "../dialects/ids.ts";
import { fixIds as allFixIds } from "../fixes/ids.ts";
import type { DialectRule } from "../repair_config.ts";
import { kind } from "./setting.ts";
import { checked, parts, read } from "./setting_values.ts";
import { suggestion } from "./suggest.ts";

/** A list of ids; editors complete it. */
const idList = (what: string, ids: readonly string[]) => {
  const id = checked((id) => {
    if (ids.includes(id)) return undefined;
    const meant = suggestion(id, ids);
    const hint = meant === undefined ? "" : `; did you mean ${JSON.stringify(meant)}?`;
    return `there is no ${what} ${JSON.stringify(id)}${hint}`;
  });
  return z.array(id.register(z.globalRegistry, { enum: [...ids] }));
};

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
  convert: (text) => toRules(idsByModel(text)),
  schemas: () => {
    const ids = idList("dialect", dialectIds);
    const byModel = z.record(z.string(), ids);
    const file = z.codec(z.union([ids, byModel]), z.custom<readonly DialectRule[]>(), {
      decode: (some) => toRules(Array.isArray(some) ? { "*": some } : some),
      encode: (rules) => {
        const [first] = rules;
        if (rules.length === 1 && first!.models === "*") return [...first!.dialects];
        return Object.fromEntries(rules.map(({ models, dialects }) => [models, [...dialects]]));
      },
    });
    return { text: read(z.string(), idsByModel, z.pipe(byModel, z.transform(toRules))), file };
  },
});

const listedFixes = (text: string) => parts(text).filter((id) => id !== "none");

/** Vendor fixes by comma, or `none`. */
export const fixIds = kind<readonly string[]>({
  placeholder: "<ids>",
  allowed: "ids of fixes, by comma, as `callmend fixes` lists them, or none",
  allowedInFile: "a list of ids of fixes, as `callmend fixes` lists them",
  words: allFixIds,
  convert: listedFixes,
  schemas: () => {
    const known = checked((text) => {
      const unknown = listedFixes(text).filter((id) => !allFixIds.includes(id));
      return unknown.length === 0 ? undefined : `there is no fix ${unknown.join(", ")}`;
    });
    return { text: read(known, listedFixes, z.array(z.string())), file: idList("fix", allFixIds) };
  },
});
