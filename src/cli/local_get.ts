/** Asks a server on this machine. Not `fetch`, which would ask the proxy of `HTTP_PROXY` for this machine's own address. */
import process from "node:process";

/** What it answers, whatever its status. Rejects when there is no answer, or none within `limitMs`. */
export function localGet(
  url: string | URL,
  limitMs: number,
  headers: { readonly [name: string]: string } = {},
): Promise<{ status: number; body: string }> {
  const secure = new URL(url).protocol === "https:"; // another machine's, behind a proxy
  const { get } = secure ? process.getBuiltinModule("node:https") : process.getBuiltinModule("node:http");
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("error", reject)
        .on("data", (text: string) => body += text)
        .on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    const timer = setTimeout(() => {
      reject(new Error(`no answer within ${limitMs / 1000} s`));
      request.destroy();
    }, limitMs);
    request.on("error", (error) => reject(new Error(error.message || "nothing listens there")))
      .on("close", () => clearTimeout(timer));
  });
}
