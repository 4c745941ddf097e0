/** A real Chromium for tests, and what it must never do: complain, break the page's policy, or ask anybody else. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import process from "node:process";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const PLACES = [
  process.env["CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Where Chromium is; undefined where there is none. */
export const chromiumPath: string | undefined = PLACES.find((path) => path !== "" && existsSync(path));

const FLAGS = [
  "--no-sandbox", // tests run as root in containers
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface Opened extends AsyncDisposable {
  readonly page: Page;
  /** Fails when the browser has had anything to complain about. */
  check(): void;
}

/** Opens a page in a browser of its own. */
export async function openPage(
  address: string,
  path: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const browser: Browser = await chromium.launch({
    executablePath: chromiumPath!,
    args: FLAGS,
    timeout: 30_000,
  });
  const complaints: string[] = [];
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) {
      complaints.push(`${message.type()}: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(address)) complaints.push(`asked ${request.url()}`);
  });
  await page.addInitScript(() => {
    const scope = globalThis as unknown as {
      addEventListener: typeof addEventListener;
      violations: string[];
    };
    scope.violations = [];
    scope.addEventListener("securitypolicyviolation", (event) => {
      const { violatedDirective, blockedURI } = event as unknown as {
        violatedDirective: string;
        blockedURI: string;
      };
      scope.violations.push(`${violatedDirective} ${blockedURI}`);
    });
  });
  await page.goto(`${address}/callmend/${path}`);
  return {
    page,
    check: () => assert.deepEqual(complaints, []),
    async [Symbol.asyncDispose]() {
      const violations = await page.evaluate("violations").catch(() => []);
      await browser.close();
      assert.deepEqual(violations, []);
      assert.deepEqual(complaints, []);
    },
  };
}
