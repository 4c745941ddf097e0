// @ts-check
/** The playground. */
/** @param {{text: string, tools: string, reasoning: string | undefined, protocol: string | undefined}} _given */
export function openInPlayground(_given) {}
/** @param {HTMLElement} main */
export function showPlayground(main) {
  main.replaceChildren();
  return () => {};
}
