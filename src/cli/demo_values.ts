/** Plausible arguments for any tool: what a demo model fills in for a JSON schema. */

type Schema = { readonly [keyword: string]: unknown };

/** Values for parameters whose name says what they hold; the first that matches counts. */
const BY_NAME: readonly (readonly [name: RegExp, value: string])[] = [
  [/city|location|place/i, "Paris"],
  [/command|cmd|script/i, "echo hello"],
  [/url|uri|link/i, "https://example.com/"],
  [/content|text|body|new/i, 'Hello,\n"world"!\n'],
  [/path|file/i, "README.md"],
  [/dir|folder|cwd/i, "."],
  [/pattern|glob/i, "*.md"],
  [/query|search|question/i, "hello"],
  [/name|title|description/i, "demo"],
];

/** A value that fits `schema`, for a parameter called `name`. */
export function plausible(schema: Schema, name: string): unknown {
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return schema.enum[0];
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices) && choices.length > 0) return plausible(choices[0] as Schema, name);
  switch (
    Array.isArray(schema.type) ? schema.type[0] : schema.type ?? (schema.properties ? "object" : "string")
  ) {
    case "integer":
    case "number":
      return 3;
    case "boolean":
      return true;
    case "null":
      return null;
    case "array":
      return [plausible(schema.items as Schema ?? {}, name)];
    case "object":
      return objectOf(schema);
    default:
      return BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? "example";
  }
}

/** All that is required; everything when nothing is. */
function objectOf(schema: Schema): Schema {
  const properties = Object.entries(schema.properties as { [name: string]: Schema } ?? {});
  const required = Array.isArray(schema.required) ? schema.required as readonly string[] : [];
  return Object.fromEntries(
    properties.filter(([name]) => required.length === 0 || required.includes(name))
      .map(([name, property]) => [name, plausible(property, name)]),
  );
}
