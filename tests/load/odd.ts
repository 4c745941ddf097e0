/** Odd values and broken bytes for the fuzzed requests and answers, from seeded random numbers. */
import { below, pick, type Random } from "./random.ts";

/** Texts of JSON values that are seldom where they are meant to be. */
const ODD: readonly string[] = [
  "null",
  "true",
  "false",
  "0",
  "-1",
  "1e999",
  "-0",
  "0.1e-400",
  "9007199254740993",
  "123456789012345678901234567890",
  '""',
  '" "',
  '"\\u0000"',
  '"\\ud800"',
  '"\\uFEFF[DONE]"',
  '"<tool_call>"',
  '"data: [DONE]\\n\\n"',
  '"constructor"',
  "[]",
  "[[]]",
  "[null]",
  "[{}]",
  "{}",
  '{"__proto__": {"x": 1}}',
  '{"constructor": {"prototype": 1}}',
  '{"toString": null, "valueOf": 1}',
  '{"toJSON": 1, "length": -1, "then": {}}',
  '{"type": {}, "function": [], "role": 7, "content": {"a": [1]}}',
  '{"$ref": "#"}',
  '{"type": "object", "properties": {"a": {"$ref": "#"}}}',
];

/** A JSON text of any odd value. */
export function oddValue(random: Random): string {
  const dice = random();
  if (dice < 0.9) return pick(random, ODD);
  if (dice < 0.94) return deep(pick(random, [10, 100, 1_000, 10_000, 50_000]), random() < 0.5);
  if (dice < 0.97) {
    return JSON.stringify(pick(random, ["x", "é", "\\", '"', "<", "🙂"]).repeat(below(random, 20_000)));
  }
  return `[${Array.from({ length: below(random, 2_000) }, () => pick(random, ODD)).join()}]`;
}

/** Lists or objects in each other. */
export function deep(levels: number, lists: boolean): string {
  return lists ? "[".repeat(levels) + "]".repeat(levels) : '{"a":'.repeat(levels) + "1" + "}".repeat(levels);
}

/** The same JSON text with some values replaced, left out or named otherwise. */
export function oddJson(value: unknown, random: Random, part: number): string {
  if (random() < part) return oddValue(random);
  if (Array.isArray(value)) {
    const items = value.map((item) => oddJson(item, random, part));
    if (random() < part) items.push(oddValue(random));
    return `[${items.join()}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(() => random() >= part)
    .map(([name, item]) => `${JSON.stringify(name)}:${oddJson(item, random, part)}`);
  if (random() < part) {
    members.push(
      `${JSON.stringify(pick(random, ["", "__proto__", "error", "n", "name"]))}:${oddValue(random)}`,
    );
  }
  if (random() < part && members.length > 0) members.push(pick(random, members)); // the same name twice
  return `{${members.join()}}`;
}

/** Some bytes changed, taken out, doubled, or all behind a place cut off. */
export function broken(bytes: Uint8Array, random: Random): Uint8Array {
  let made = Buffer.from(bytes);
  for (let times = 1 + below(random, 4); times > 0 && made.length > 0; times--) {
    const at = below(random, made.length);
    const to = Math.min(made.length, at + 1 + below(random, pick(random, [1, 8, 200])));
    const [before, part, after] = [made.subarray(0, at), made.subarray(at, to), made.subarray(to)];
    const noise = Buffer.from(Array.from({ length: 1 + below(random, 4) }, () => below(random, 256)));
    made = Buffer.concat(pick(random, [
      [before, after],
      [before, part, part, after],
      [before, noise, after],
      [before, noise, part, after],
      [
        before,
        Buffer.from(pick(random, ["\n\n", "\r", "\0", '"', "{", "}", "\\", "\ufeff", "data: ", "[DONE]"])),
        after,
      ],
      [before, Buffer.from([0xf0, 0x9f]), after], // half a character
      ...(random() < 0.3 ? [[before]] : []),
    ]));
  }
  return made;
}

/** Chunked as it has to be, or not quite. */
export function chunked(bytes: Uint8Array, random: Random, right: boolean): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const to = Math.min(bytes.length, at + 1 + below(random, 2_000));
    const size = (to - at).toString(16);
    const wrong = !right && random() < 0.2;
    const line = wrong
      ? pick(random, [
        "",
        "-1",
        "zz",
        "0x5",
        `${size}0`,
        "ffffffffffffffff",
        ` ${size}`,
        `${size};a="`,
        "0",
        size.padStart(200, "0"),
      ])
      : size;
    const end = !right && random() < 0.05 ? pick(random, ["", "\n", "x\r\n", "\r"]) : "\r\n";
    pieces.push(Buffer.from(`${line}\r\n`), bytes.subarray(at, to), Buffer.from(end));
    at = to;
  }
  const last = right
    ? "0\r\n\r\n"
    : pick(random, ["0\r\n\r\n", "", "0\r\n", "0\r\nx: y\r\n\r\n", "00000\r\n\r\n", "0\r\nbad\r\n\r\n"]);
  return Buffer.concat([...pieces, Buffer.from(last)]);
}
