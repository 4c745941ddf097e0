// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The playground: raw text and tools go in, and what a client would get comes out, piece by piece. */
import { ask, vocabulary } from "./data.js";
import { h } from "./dom.js";
import { count } from "./format.js";
import { unhighlight } from "./long_text.js";
import { playback } from "./playback.js";
import { cutOf, state, STOPS, wanted } from "./wanted.js";

/** @typedef {import("../convert_text.ts").Converted} Converted */
/** @typedef {import("./data.js").Vocabulary} Vocabulary */

/** After so long without a key the text is converted. */
const PAUSE_MS = 200;

/** Shows the playground in `main`; gives what ends it. @param {HTMLElement} main */
export function showPlayground(main) {
  let over = false;
  let ended = () => {};
  vocabulary().then((words) => {
    if (!over) ended = playground(main, words);
  });
  return () => {
    over = true;
    ended();
    unhighlight();
  };
}

/** @param {HTMLElement} main @param {Vocabulary} words */
function playground(main, words) {
  const [first] = words.examples;
  if (state.text === "" && state.tools === "" && first) {
    Object.assign(state, { text: first.text, tools: first.tools });
  }
  const text = area("text", "What the model wrote", 12);
  const tools = area("tools", "Tools: a list, or a whole request", 7);
  const examples = h(
    "select",
    {
      "aria-label": "Examples",
      change: () => {
        const example = words.examples[Number(examples.value)];
        if (example === undefined) return;
        Object.assign(state, {
          text: example.text,
          tools: example.tools,
          step: Infinity,
          dialect: "",
          protocol: "",
          reasoning: "split",
          field: "content",
        });
        main.replaceChildren();
        stop();
        stop = playground(main, words);
      },
    },
    h("option", { value: "" }, "Start from an example …"),
    words.examples.map(({ name }, n) => h("option", { value: n }, name)),
  );
  const options = h(
    "div",
    { class: "options" },
    choice("dialect", "Dialects", [
      ["", "all"],
      ...words.dialects.map(({ id }) => /** @type {const} */ ([id, id])),
    ]),
    choice("protocol", "Protocol", [
      ["", "native"],
      ...words.protocols.map((id) => /** @type {const} */ ([id, id])),
    ]),
    choice("reasoning", "Reasoning", [["split", "split"], ["keep", "keep"], [
      "open",
      "opened by the prompt",
    ]]),
    choice("arguments", "Arguments", [["stream", "stream"], ["whole", "whole"]]),
    choice("field", "Comes as", [["content", "content"], ["reasoning", "reasoning"]]),
  );
  const cut = h("input", {
    type: "range",
    id: "cut",
    min: 0,
    max: STOPS,
    value: state.stop,
    input: () => {
      state.stop = Number(cut.value);
      name();
      later();
    },
  });
  const cutName = h("output", { for: "cut", class: "number" });
  const name = () => {
    const size = cutOf();
    cutName.textContent = size >= state.text.length
      ? "all at once"
      : size === 1
      ? "1 character"
      : `${count(size)} characters`;
    cut.setAttribute("aria-valuetext", cutName.textContent);
  };
  const error = h("p", { class: "problem-text", role: "alert" });
  const result = h("div", { class: "result" });
  main.replaceChildren(
    h(
      "section",
      { class: "playground", "aria-label": "Playground" },
      h("h1", { class: "unseen" }, "Playground"),
      h(
        "div",
        { class: "panel inputs" },
        h("header", {}, h("h2", {}, "What the model wrote"), examples),
        text,
        h("label", { class: "soft", for: "tools" }, "Tools: a list, or a whole request"),
        tools,
        options,
        h("div", { class: "slider" }, h("label", { for: "cut" }, "Cut into pieces of"), cut, cutName),
        error,
      ),
      result,
    ),
  );

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let asked = 0;
  let endLast = () => {};
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(convert, PAUSE_MS);
  };
  const convert = async () => {
    const mine = ++asked;
    try {
      const converted = await ask("api/convert", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(wanted()),
      });
      if (mine !== asked || !result.isConnected) return;
      error.textContent = "";
      endLast();
      const shown = playback(converted, {
        text: state.text,
        field: /** @type {"content"} */ (state.field),
        words,
        state,
      });
      endLast = shown.end;
      result.replaceChildren(shown.element);
      if (converted.cut > cutOf()) {
        cutName.textContent = `${count(converted.cut)} characters (finer would be too many pieces)`;
      }
    } catch (problem) {
      if (mine !== asked) return;
      error.textContent = problem instanceof Error ? problem.message : String(problem);
    }
  };
  let stop = () => {
    clearTimeout(timer);
    asked = -1;
    endLast();
  };
  name();
  convert();
  return () => stop();

  /** @param {"text" | "tools"} key @param {string} label @param {number} rows */
  function area(key, label, rows) {
    /** @type {HTMLTextAreaElement} */
    const made = h("textarea", {
      class: "mono",
      id: key,
      rows,
      "aria-label": label,
      spellcheck: "false",
      value: state[key],
      input: () => {
        state[key] = made.value;
        state.step = Infinity;
        name();
        later();
      },
    });
    return made;
  }

  /** @param {"dialect" | "protocol" | "reasoning" | "arguments" | "field"} key @param {string} label @param {readonly (readonly [value: string, name: string])[]} values */
  function choice(key, label, values) {
    /** @type {HTMLSelectElement} */
    const made = h("select", {
      id: `option-${key}`,
      change: () => {
        state[key] = made.value;
        later();
      },
    }, values.map(([value, name]) => h("option", { value, selected: state[key] === value }, name)));
    return h("label", {}, h("span", { class: "soft" }, label), made);
  }
}
