/** Where the page is. */
export const INSPECTOR_PATH = "/callmend/";

/** Whether a path is the page's: one of its own, or its address without the last slash. */
export function isInspectorPath(path: string): boolean {
  return path.startsWith(INSPECTOR_PATH) || `${path}/` === INSPECTOR_PATH;
}
