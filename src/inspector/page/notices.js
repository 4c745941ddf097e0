// @ts-check
/// <reference lib="dom" />
/** What stands where the list would be while it is empty. */
import { h } from "./dom.js";

export function welcome() {
  return [
    h("h1", {}, "Nothing has been asked yet"),
    h("p", {}, "Point a client at this address. Each exchange appears here as it happens."),
    h("pre", {}, `${location.origin}/v1`),
    h(
      "p",
      {},
      "Or try what Callmend makes of a model's text ",
      h("a", { href: "#/playground" }, "in the playground"),
      ".",
    ),
  ];
}

/** @param {() => void} clear */
export function noMatch(clear) {
  return [
    h("h1", {}, "No exchange fits"),
    h("p", {}, "Search looks into model, id, upstream, dialects, fixes, problems and outcome."),
    h("button", { type: "button", click: clear }, "Show all"),
  ];
}
