/** The log: lines with a level, as JSON for programs or readable for people. */

/** How much is told: each level holds those before it. */
const logLevels = ["error", "warn", "info", "debug"] as const;
export type LogLevel = typeof logLevels[number];

/** Facts of a line, in the order in which they are shown; undefined and empty lists are left out. */
export interface LogFields {
  readonly [name: string]: LogValue | undefined;
}
export type LogValue = string | number | boolean | readonly string[] | { readonly [name: string]: number };

/** What is said, or how to come by it: most lines are for nobody, and no line says all in both forms. */
type Lazy<Value> = Value | (() => Value);

/** `plain`: the whole of it in words, for people, instead of the message and its fields. */
export type Log = {
  readonly [Level in LogLevel]: (message: string, fields?: Lazy<LogFields>, plain?: Lazy<string>) => void;
};

/** For programs, for people, or for people in the colours of a terminal. */
export type LogStyle = "json" | "text" | "coloured";

export interface LogOptions {
  /** How much is told; asked for each line, as it may change. */
  readonly level: () => LogLevel;
  /** How lines look; asked with the first one. */
  readonly style: () => LogStyle;
  /** Takes one line, without its end. */
  readonly write: (line: string) => void;
}

/** Makes a log. What comes from outside cannot end a line or paint it. */
export function createLog({ level, style, write }: LogOptions): Log {
  let line: ((line: Line) => string) | undefined;
  const at = (own: LogLevel) => (message: string, fields: Lazy<LogFields> = {}, plain?: Lazy<string>) => {
    if (logLevels.indexOf(own) > logLevels.indexOf(level())) return;
    line ??= LINES[style()];
    write(line({ time: new Date(), level: own, message, fields, plain }));
  };
  return { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
}

/** What one line says. */
interface Line {
  readonly time: Date;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Lazy<LogFields>;
  readonly plain: Lazy<string> | undefined;
}

/** The fields that say something. */
function toldIn(fields: Lazy<LogFields>): [name: string, value: LogValue][] {
  const all = Object.entries(typeof fields === "function" ? fields() : fields);
  return all.filter(([, value]) => !isEmpty(value)) as [string, LogValue][];
}

function jsonLine({ time, level, message, fields }: Line): string {
  const told = Object.fromEntries(toldIn(fields));
  return JSON.stringify({ time: time.toISOString(), level, message, ...told });
}

function textLine({ time, level, ...line }: Line): string {
  return `${time.toISOString()} ${level} ${wordsOf(line)}`;
}

const LINES = { json: jsonLine, text: textLine, coloured: colouredLine };

const COLOURS: { readonly [Level in LogLevel]: number } = { error: 31, warn: 33, info: 32, debug: 90 };

function colouredLine({ time, level, ...line }: Line): string {
  const paint = (code: number, text: string) => `\x1b[${code}m${text}\x1b[0m`;
  return `${paint(90, time.toTimeString().slice(0, 8))} ${paint(COLOURS[level], level)} ${wordsOf(line)}`;
}

function wordsOf({ message, fields, plain }: Omit<Line, "time" | "level">): string {
  if (plain !== undefined) return printable(typeof plain === "string" ? plain : plain());
  return printable(message) + toldIn(fields).map(([name, value]) => ` ${name}=${textOf(value)}`).join("");
}

function textOf(value: LogValue): string {
  if (Array.isArray(value)) return textOf(value.join(","));
  if (typeof value === "object") {
    return textOf(
      Object.entries(value).map(([name, count]) => count === 1 ? name : `${name}*${count}`).join(","),
    );
  }
  const text = printable(String(value));
  return /[\s"=]/.test(text) || text === "" ? JSON.stringify(text) : text;
}

function isEmpty(value: LogValue | undefined): boolean {
  return value === undefined || (typeof value === "object" && Object.keys(value).length === 0);
}

/** A text without what could end a line of the log or paint it. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
}
