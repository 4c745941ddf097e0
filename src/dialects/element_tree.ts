/** Nested elements as a tree: `<loc><city>Paris</city></loc>` in the value of a parameter. */
import type { Tree } from "../parse/dialect.ts";

const OPEN = /\s*<([\w.:-]+)(?:\s[^<>]*)?>/y;

/** The elements that `text` is; undefined when it is anything else. */
export function treeOf(text: string, depth = 0): Tree | undefined {
  const children: (readonly [string, Tree])[] = [];
  for (let at = 0; depth < DEEPEST;) {
    OPEN.lastIndex = at;
    const name = OPEN.exec(text)?.[1];
    if (name === undefined) return children.length > 0 && text.slice(at).trim() === "" ? children : undefined;
    const from = OPEN.lastIndex;
    const to = closerOf(text, name, from);
    if (to === -1) return undefined;
    const inside = text.slice(from, to);
    const cdata = /^\s*<!\[CDATA\[([^]*)\]\]>\s*$/.exec(inside)?.[1];
    children.push([name, cdata ?? treeOf(inside, depth + 1) ?? inside]);
    at = to + name.length + 3;
  }
  return undefined;
}

/** Where the element `name` that was opened before `from` closes; -1 when it does not. */
function closerOf(text: string, name: string, from: number): number {
  const close = `</${name}>`, open = `<${name}>`;
  for (let at = from, level = 0;;) {
    const end = text.indexOf(close, at);
    if (end === -1) return -1;
    for (
      let inner = text.indexOf(open, at);
      inner !== -1 && inner < end;
      inner = text.indexOf(open, inner + 1)
    ) {
      level++;
    }
    if (level === 0) return end;
    level--;
    at = end + close.length;
  }
}

const DEEPEST = 32;
