// @ts-check
/// <reference lib="dom" />
/** What the playground is to convert, and how. */

/** What is longer is cut: the server takes no more. */
const MOST = 1_000_000;
/** The slider goes by powers, so that both 1 and all can be reached. */
export const STOPS = 100;

// What was put in stays while something else is looked at.
export const state = {
  text: "",
  tools: "",
  dialect: "",
  protocol: "",
  reasoning: "split",
  arguments: "stream",
  field: "content",
  stop: 30,
  step: Infinity,
};

/**
 * Opens the playground with a text that a model has written.
 * @param {{ text: string, tools: string, reasoning: string | undefined, protocol: string | undefined }} given
 */
export function openInPlayground({ text, tools, reasoning = "split", protocol = "" }) {
  Object.assign(state, {
    text: text.slice(0, MOST),
    tools: toolsIn(tools),
    reasoning,
    protocol,
    dialect: "",
    field: "content",
    step: Infinity,
  });
  location.hash = "#/playground";
}

/** The tools of a request; the request itself when it has none. @param {string} request */
function toolsIn(request) {
  try {
    return JSON.stringify(JSON.parse(request).tools ?? [], null, 2);
  } catch {
    return request;
  }
}

/** How many characters a piece has. */
export function cutOf() {
  return Math.max(1, Math.round(Math.max(1, state.text.length) ** (state.stop / STOPS)));
}

export function wanted() {
  let tools = [];
  try {
    tools = state.tools.trim() === "" ? [] : JSON.parse(state.tools);
  } catch (error) {
    throw new Error(
      `Cannot read the tools: ${error instanceof Error ? error.message : error}. They must be JSON.`,
    );
  }
  return {
    text: state.text,
    tools,
    reasoning: state.reasoning,
    arguments: state.arguments,
    field: state.field,
    cut: cutOf(),
    ...(state.dialect !== "" && { dialects: [state.dialect] }),
    ...(state.protocol !== "" && { protocol: state.protocol }),
  };
}
