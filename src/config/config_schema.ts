/** What may stand in a configuration file: made of the table of settings, and of what only a list of upstreams has. */
import * as z from "zod/mini";
import { type Setting, type SettingName, settingRows, settings } from "../settings/settings.ts";

/** One value of the file. */
export interface Place {
  /** Where it stands: `listen.port`; in an entry of `upstreams`, from there on. */
  readonly place: string;
  readonly means: string;
  readonly allowed: string;
  readonly file: () => z.ZodMiniType;
  /** The setting that it is. */
  readonly setting?: SettingName;
  readonly secret?: true;
  readonly required?: true;
  /** The default, as it stands in the file. */
  readonly usual?: () => unknown;
}

const modelNames = () => z.string().check(z.minLength(1));

/** What the entries of `upstreams` have beside the settings. */
const ownPlaces: readonly Place[] = [
  {
    place: "name",
    means: "what this upstream is called here: name/model asks it for a model",
    allowed: "letters, digits, '.', '_' and '-'",
    file: () => z.string().check(z.regex(/^[\w.-]+$/)),
    required: true,
  },
  {
    place: "baseUrl",
    means: settings.upstream.means,
    allowed: settings.upstream.allowed,
    file: () => settings.upstream.inFile(z),
    required: true,
  },
  {
    place: "models",
    means: "the models that are asked for here; an upstream without them takes all that no other one has",
    allowed: "a list of names of models, in which * stands for anything",
    file: () => z.array(modelNames()),
  },
  {
    place: "aliases",
    means: "other names for models of this upstream",
    allowed: "an object of names, each with the model that it stands for",
    file: () => z.record(modelNames(), modelNames()),
  },
];

function placeOf(name: SettingName, setting: Setting, place: string, usual?: () => unknown): Place {
  const { means, allowed, allowedInFile = allowed, inFile, secret } = setting;
  return {
    place,
    means,
    allowed: allowedInFile,
    file: () => inFile(z),
    setting: name,
    ...(usual !== undefined && { usual }),
    ...(secret && { secret }),
  };
}

/** A default, as it stands in the file; made when it is asked for, as most starts do not read a file. */
function usualOf({ default: text, read, written }: Setting): (() => unknown) | undefined {
  return text === undefined ? undefined : () => written(read(text));
}

/** What may stand in an entry of `upstreams`. */
export const entryPlaces: readonly Place[] = [
  ...ownPlaces.slice(0, 2),
  ...settingRows.flatMap(([name, setting]) =>
    setting.entry === undefined ? [] : [placeOf(name, setting, setting.entry)]
  ),
  ...ownPlaces.slice(2),
];

const upstreams: Place = {
  place: "upstreams",
  means: "the model servers; the model's name picks one",
  allowed: "a list of at least one upstream, each an object with name and baseUrl",
  file: () => z.array(objectOf(entryPlaces)).check(z.minLength(1)),
};

/** What may stand in the file. */
export const topPlaces: readonly Place[] = [
  {
    place: "$schema",
    means: "what `callmend config schema` prints",
    allowed: "a text",
    file: () => z.string(),
  },
  upstreams,
  ...settingRows.flatMap(([name, setting]) =>
    setting.place === undefined ? [] : [placeOf(name, setting, setting.place, usualOf(setting))]
  ),
];

let wholeFile: z.ZodMiniType | undefined; // made when there is a file: it takes a tenth of the start

/** The whole file; what it gives has each setting's value in its place. */
export function fileSchema(): z.ZodMiniType {
  return wholeFile ??= objectOf(topPlaces);
}

/** The whole file as a JSON schema, for editors. */
export function jsonSchema(): object {
  const json = z.toJSONSchema(fileSchema(), {
    io: "input",
    // zod drops the defaults of what is converted: they could be meant for the other side.
    override: ({ zodSchema, jsonSchema }) => {
      const usual = z.globalRegistry.get(zodSchema as unknown as z.ZodMiniType)?.default;
      if (usual !== undefined) jsonSchema.default = usual as typeof jsonSchema.default;
    },
  });
  return { ...json, title: "callmend.jsonc", description: "The configuration of Callmend" };
}

/** An object that has what `places` say, and nothing else. */
function objectOf(places: readonly Place[]): z.ZodMiniType {
  const groups = Map.groupBy(places, ({ place }) => place.split(".")[0]!);
  return z.strictObject(
    Object.fromEntries(
      [...groups].map(([name, members]) => {
        const [first] = members;
        if (first!.place === name) return [name, described(first!)];
        const inner = members.map((each) => ({ ...each, place: each.place.slice(name.length + 1) }));
        return [name, z.optional(objectOf(inner))];
      }),
    ),
  );
}

function described({ file, means, usual, required }: Place): z.ZodMiniType {
  return (required ? z.clone(file()) : z.optional(file())).register(z.globalRegistry, {
    description: means,
    ...(usual !== undefined && { default: usual() }),
  });
}
