/** The page in a real Chromium: what a user sees, types and clicks. Skipped, and said so, where there is none. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Locator, Page } from "playwright-core";
import { demoUpstream } from "../src/cli/demo_upstream.ts";
import { chromiumPath, openPage } from "./_browser.ts";
import { type Inspected, inspected, says, weather } from "./_inspector.ts";
import { until } from "./_servers.ts";
import { test as anyTest } from "./_test.ts";

const test: typeof anyTest = (name, body) =>
  anyTest(name, () => {
    if (chromiumPath === undefined) {
      return console.log(`Skipped: ${name}: there is no Chromium (CHROMIUM says where)`);
    }
    return body();
  });

const messages = [{ role: "developer", content: "Be brief." }, { role: "user", content: "Weather?" }];
const body = { model: "m", stream: true, tools: [weather], messages };
const CALL = '<tool_call>{"name": "getWeather", "arguments": {"city": "Paris", "days": "2"}}</tool_call>';

/** Models that show one thing each. */
function models(): Inspected {
  return inspected(async (request) => {
    const { model } = await request.clone().json();
    if (model === "two-calls") {
      return await says(
        "Well:\n",
        30,
        CALL.slice(0, 40),
        150,
        CALL.slice(40),
        30,
        "\nNo `<tool_call>` here.\n",
        CALL,
        "<|im_end|>",
      )(request);
    }
    if (model === "slow") return await says("One ", 1500, "two")(request);
    if (model === "failing") {
      return Response.json({
        error: { message: "Overloaded.", type: "server_error", code: 503, param: null },
      }, { status: 503 });
    }
    return await demoUpstream(request, 0);
  });
}

async function idOf(server: Inspected, model: string): Promise<string> {
  await server.chat({ ...body, model });
  return server.captures.list()[0]!.id;
}

const rows = (page: Page) => page.locator(".row");
/** Waits until something is as it is to be: the page draws with the next frame. */
async function becomes<Value>(get: () => Promise<Value>, expected: Value, what = ""): Promise<void> {
  let found = await get();
  for (const start = Date.now(); found !== expected && Date.now() - start < 20_000; found = await get()) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(found, expected, what);
}

const text = async (of: Locator) => (await of.innerText()).replace(/\s+/g, " ").trim();

test("the list fills as exchanges happen, and says what became of each", async () => {
  await using server = models();
  await using opened = await openPage(server.address, "");
  const { page } = opened;
  await page.getByText("Nothing has been asked yet").waitFor();
  await page.getByText("live", { exact: true }).waitFor();
  await server.chat({ ...body, model: "two-calls" });
  await server.chat({ ...body, model: "failing" });
  const slow = server.chat({ ...body, model: "slow" });
  await rows(page).nth(2).waitFor();
  await page.getByText("running", { exact: true }).waitFor();
  await rows(page).filter({ hasText: "error 503" }).waitFor();
  const done = await text(rows(page).last());
  for (
    const word of ["done", "two-calls", "demo", "stream", "hermes", "any/developer-role", "name-resolved"]
  ) {
    assert.ok(done.includes(word), `${word} in ${done}`);
  }
  assert.match(done, / 2 – [\d.]+ m?s [\d.]+ m?s [\d.]+ m?s$/);
  assert.equal(await text(page.locator(".count")), "3 exchanges");
  await slow;
  await page.getByText("running", { exact: true }).waitFor({ state: "detached" });
});

test("search, filters and keys", async () => {
  await using server = models();
  for (const model of ["demo-glm", "demo-native", "failing", "two-calls"]) {
    await server.chat({ ...body, model });
  }
  await using opened = await openPage(server.address, "");
  const { page } = opened;
  const shown = async () => (await page.locator(".row .model").allInnerTexts()).join(" ");
  await rows(page).nth(3).waitFor();
  await page.keyboard.press("/");
  for (
    const [words, found] of [
      ["glm", "demo-glm"],
      ["hermes two", "two-calls"],
      ["NAME-resolved", "two-calls"],
      ["kimi/usage", "demo-glm"],
      [server.captures.list()[2]!.id, "demo-native"],
      ["error", "failing"],
    ] as const
  ) {
    await page.locator("#search").fill(words);
    await becomes(shown, found, words);
  }
  await page.locator("#search").fill("zzz");
  await page.getByText("No exchange fits").waitFor();
  await page.getByRole("button", { name: "Show all" }).click();
  const filter = (name: string) => page.getByRole("button", { name, exact: true });
  for (
    const [name, found] of [
      ["Problems", "two-calls"],
      ["Calls", "two-calls demo-native demo-glm"],
      ["Errors", "failing"],
    ] as const
  ) {
    await filter(name).click();
    assert.equal(await filter(name).getAttribute("aria-pressed"), "true");
    await becomes(shown, found, name);
    await filter(name).click();
  }
  await filter("Running").click();
  await page.getByText("No exchange fits").waitFor();
  await filter("Running").click();

  await page.locator(".grid").focus();
  const chosen = async () => await text(page.locator('.row[aria-selected="true"] .model'));
  for (
    const [key, found] of [["j", "two-calls"], ["ArrowDown", "failing"], ["j", "demo-native"], [
      "k",
      "failing",
    ]] as const
  ) {
    await page.keyboard.press(key);
    await becomes(chosen, found, key);
  }
  const active = await page.locator(".grid").getAttribute("aria-activedescendant");
  assert.equal(await page.locator(`[id="${active}"]`).getAttribute("aria-selected"), "true");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "failing" }).waitFor();
  await page.keyboard.press("j");
  await page.getByRole("heading", { name: "demo-native" }).waitFor();
  await page.keyboard.press("k");
  await page.getByRole("heading", { name: "failing" }).waitFor();
  await page.keyboard.press("Escape");
  await rows(page).nth(3).waitFor();
  await becomes(chosen, "failing");
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("next and previous exchange").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.keyboard.press("p");
  await page.locator("#step").waitFor();
});

test("one exchange: what was sent and what went up, what was written and what was got, each problem explained", async () => {
  await using server = models();
  const id = await idOf(server, "two-calls");
  await using opened = await openPage(server.address, `#/exchange/${id}`);
  const { page } = opened;
  const wrote = page.getByRole("region", { name: "The model wrote", exact: true });
  await wrote.locator(".span.call").nth(1).waitFor();
  assert.deepEqual(await wrote.locator(".call-label").allInnerTexts(), [
    "call 1 · hermes",
    "call 2 · hermes",
  ]);
  assert.match(await wrote.locator(".span.dropped").innerText(), /<\|im_end\|>$/);
  const struck = wrote.locator(".struck");
  const names = await struck.allInnerTexts();
  for (const name of ["name-resolved", "arguments-repaired", "not-a-call", "special-token"]) {
    assert.ok(names.some((each) => each.includes(name)), `${name} in ${names}`);
  }
  await struck.filter({ hasText: "not-a-call" }).first().hover();
  await page.getByRole("tooltip").getByText("This looks like the start of a call").waitFor();
  await page.locator(".chips-line .fix").first().focus();
  await page.getByRole("tooltip").getByText("any/developer-role").waitFor();

  const got = page.getByRole("region", { name: "The client got", exact: true });
  assert.deepEqual(await got.locator(".call-card strong").allInnerTexts(), ["get_weather", "get_weather"]);
  assert.match(
    await got.locator(".call-card pre").first().innerText(),
    /^\{\n {2}"city": "Paris",\n {2}"days": 2\n\}/,
  );
  assert.match(await text(got), /No `<tool_call>` here\. .*finish tool_calls/);

  const sent = page.getByRole("region", { name: "The client sent", exact: true });
  const upstream = page.getByRole("region", { name: "Went upstream", exact: true });
  assert.deepEqual(await sent.locator("mark").allInnerTexts(), ["developer"]);
  assert.deepEqual(await upstream.locator("mark").allInnerTexts(), ["system"]);
  await sent.locator(".fold").first().click();
  assert.match(await text(sent), /"description": "The weather of the coming days\."/);

  await wrote.getByRole("tab", { name: "Raw" }).click();
  assert.match(await wrote.innerText(), /^data: \{"id":"c1"/m);
  await got.getByRole("tab", { name: "Raw" }).click();
  assert.match(await got.innerText(), /data: \[DONE\]/);
});

test("a request that goes up as it came is said to be the same, and another way to ask is shown beside the first", async () => {
  let asked = 0;
  await using server = inspected((request) => {
    const taught =
      '[[OPENCODE_TOOL]]\n[[CALL]]\n{"name": "get_weather", "arguments": {"city": "Rome"}}\n[[/CALL]]\n[[/OPENCODE_TOOL]]';
    return (asked++ % 2 === 0 ? says({}) : says(taught))(request);
  }, { config: { mode: "fallback" } });
  await server.chat({ ...body, messages: [messages[1]] });
  await using opened = await openPage(server.address, `#/exchange/${server.captures.list()[0]!.id}`);
  const { page } = opened;
  await page.getByText("The upstream was asked 2 times").waitFor();
  const wrote = page.getByRole("region", { name: "The model wrote", exact: true });
  assert.deepEqual(await wrote.locator(".call-label").allInnerTexts(), ["call 1 · bridge-markers"]);
  await page.getByRole("tab", { name: /Attempt 1/ }).click();
  await page.getByText("The same, byte for byte.").waitFor();
  assert.equal(await wrote.locator(".call-label").count(), 0);
});

test("the timeline shows each piece, and where it is in the text", async () => {
  await using server = models();
  const id = await idOf(server, "two-calls");
  await using opened = await openPage(server.address, `#/exchange/${id}`);
  const { page } = opened;
  const line = page.locator(".timeline");
  await line.locator("path.pieces.client").waitFor();
  assert.ok(await line.locator(".gap").count() >= 1, "text that was held back is seen");
  assert.ok(await line.locator(".tick.problem").count() >= 3);
  assert.ok(await line.locator(".tick.fix").count() >= 1);
  await line.focus();
  const highlighted = () =>
    page.evaluate(`[...CSS.highlights.get("piece") ?? []].map((range) => {
      const found = range.cloneContents();
      found.querySelectorAll(".struck, .call-label").forEach((chip) => chip.remove());
      return found.textContent;
    }).join("")`);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  assert.match(await text(page.locator(".piece")), /^From the upstream: piece 2 of \d+, \d+ B at /);
  assert.equal(await highlighted(), "Well:\n");
  assert.match((await line.getAttribute("aria-valuetext"))!, /piece 2/);
  await page.keyboard.press("ArrowRight");
  assert.equal(await highlighted(), CALL.slice(0, 40));
  await page.getByRole("region", { name: "The client got", exact: true }).getByRole("tab", { name: "Raw" })
    .click();
  const box = (await line.boundingBox())!;
  await page.mouse.move(box.x + box.width - 18, box.y + 90);
  assert.match(await text(page.locator(".piece")), /^To the client: piece (\d+) of \1,/);
  assert.match(String(await highlighted()), /data: /);
});

test("curl, bundle, copies, and the way to the playground", async () => {
  await using server = models();
  const id = await idOf(server, "two-calls");
  await using opened = await openPage(server.address, `#/exchange/${id}`, { acceptDownloads: true });
  const { page } = opened;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const clipboard = () => page.evaluate("navigator.clipboard.readText()") as Promise<string>;
  const pane = (name: string) => page.getByRole("region", { name, exact: true });
  await pane("The client sent").getByRole("button", { name: "Copy as curl" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.match(
    await clipboard(),
    /^curl -N 'http:\/\/127\.0\.0\.1:\d+\/v1\/chat\/completions' \\\n[^]*"developer"/,
  );
  await pane("Went upstream").getByRole("button", { name: "Copy as curl" }).click();
  await pane("Went upstream").getByRole("button", { name: "Copied" }).waitFor();
  assert.doesNotMatch(await clipboard(), /"developer"/);
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download bundle" }).click();
  const download = await downloading;
  assert.match(download.suggestedFilename(), /^callmend-.*\.json$/);
  assert.equal(JSON.parse(readFileSync(await download.path(), "utf8")).id, id);
  await pane("The model wrote").getByRole("button", { name: "Open in playground" }).click();
  await page.locator("#step").waitFor();
  assert.match(await page.locator("#text").inputValue(), /^Well:\n<tool_call>/);
  assert.equal(JSON.parse(await page.locator("#tools").inputValue())[0].function.name, "get_weather");
});

test("the playground shows each piece on its way", async () => {
  await using server = models();
  await using opened = await openPage(server.address, "#/playground");
  const { page } = opened;
  await page.locator("#step").waitFor();
  const wrote = `Well:\n${CALL}\nBye`;
  const all = wrote.length + 2; // the role, and the end
  await page.locator("#text").fill(wrote);
  await page.locator("#tools").fill(JSON.stringify(body));
  const had = page.getByRole("region", { name: "What the client had" });
  await had.locator(".block", { hasText: /Bye$/ }).waitFor(); // an id may hold any three letters
  assert.match(await text(had), /content Well: Bye call 1 get_weather .*"city": "Paris", "days": 2/);
  await page.locator("#cut").fill("0");
  await page.getByText("1 character", { exact: true }).waitFor();
  await page.getByText(`Piece ${all} of ${all}`).waitFor();
  await page.locator("#step").fill("10");
  assert.match(await text(had), /content Well: finish none yet$/);
  assert.match(await text(page.locator(".in-out").first()), /came "o" went out nothing: held back/);
  assert.equal(await page.evaluate("[...CSS.highlights.get('piece')].map(String).join('')"), "o");
  await page.getByRole("button", { name: "One piece on" }).click();
  await page.getByText(`Piece 12 of ${all}`).waitFor();
  await page.getByRole("button", { name: "Play" }).click();
  await page.getByText(`Piece ${all} of ${all}`).waitFor();
  await page.getByRole("button", { name: "Play" }).waitFor();
  await page.getByRole("region", { name: "Steps" }).locator(".struck").first().click();
  assert.doesNotMatch(await text(page.locator(".piece")), new RegExp(`Piece ${all}`));
  await page.locator("#cut").fill("100");
  await page.getByText("all at once").waitFor();
  await page.locator("#option-dialect").selectOption("dsml");
  await had.locator(".call-card").waitFor({ state: "detached" });
  await page.locator("#tools").fill("{no");
  await page.getByRole("alert").getByText("Cannot read the tools").waitFor();
  await page.getByLabel("Examples").selectOption("0");
  await had.locator(".call-card").nth(1).waitFor();
});

const EVIL = '<img src=x onerror="alert(1)"></script><script>alert(2)</script>';

test("what an exchange holds is shown as text, never run", async () => {
  await using server = inspected(
    says(
      EVIL,
      { reasoning_content: EVIL },
      CALL.replace("Paris", "</script><b>").replaceAll("getWeather", "get_weather"),
    ),
  );
  const tool = { type: "function", function: { ...weather.function, name: EVIL } };
  await server.chat({
    ...body,
    model: EVIL,
    tools: [weather, tool],
    messages: [{ role: "user", content: EVIL }],
  }, { "x-evil": EVIL });
  await using opened = await openPage(server.address, "");
  const { page } = opened;
  await rows(page).first().waitFor();
  assert.equal(await page.locator(".row .model").innerText(), EVIL);
  await rows(page).first().click();
  await page.locator(".pane").nth(3).waitFor();
  assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), EVIL);
  await page.locator("summary").first().click();
  for (const tab of await page.getByRole("tab", { name: "Raw" }).all()) await tab.click();
  await page.getByRole("button", { name: "Open in playground" }).click();
  await page.locator("#step").waitFor();
  assert.equal(await page.locator("main img, main script, main b").count(), 0);
});

test("an exchange that goes on is followed to its end", async () => {
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => finish = resolve);
  await using server = inspected(async (request) => {
    const { body, headers } = await says("One ", '<tool_call>{"name"')(request);
    const rest = body!.getReader();
    const held = new ReadableStream<Uint8Array>({
      async start(controller) {
        for (let n = 0;; n++) {
          const { done, value } = await rest.read();
          if (n === 3) await finished;
          if (done) return controller.close();
          controller.enqueue(value);
        }
      },
    });
    return new Response(held, { headers });
  });
  const asked = server.chat(body);
  await until("the exchange has begun", () => server.captures.list().length === 1);
  await using opened = await openPage(server.address, `#/exchange/${server.captures.list()[0]!.id}`);
  const { page } = opened;
  await page.locator(".headline").getByText("running").waitFor();
  await page.locator(".span.held").getByText('<tool_call>{"name"').waitFor();
  finish();
  await asked;
  await page.locator(".headline").getByText("done").waitFor();
  assert.equal(await page.locator(".span.held").count(), 0);
});

test("rows that are looked at stay where they are when others come in above them", async () => {
  await using server = inspected(says("x"));
  for (let n = 0; n < 100; n++) await server.chat({ ...body, model: `model-${n}`, tools: [] });
  await using opened = await openPage(server.address, "");
  const { page } = opened;
  await page.getByText("100 exchanges").waitFor();
  await page.locator(".grid").evaluate((grid) => grid.scrollTop = 40 * 38);
  const place = async () =>
    Math.round((await rows(page).filter({ hasText: "model-50" }).boundingBox())?.y ?? 0);
  await rows(page).filter({ hasText: "model-50" }).waitFor();
  const before = await place();
  for (let n = 0; n < 7; n++) await server.chat({ ...body, model: `later-${n}`, tools: [] });
  await page.getByText("107 exchanges").waitFor();
  await becomes(place, before);
  await rows(page).filter({ hasText: "model-50" }).click();
  await page.getByRole("heading", { name: "model-50" }).waitFor();
});

test("a thousand rows scroll, search and move at once", async () => {
  await using server = inspected(says("x"));
  for (let n = 0; n < 20; n++) {
    await Promise.all(
      Array.from(
        { length: 50 },
        (_, at) => server.chat({ ...body, model: `model-${n * 50 + at}`, tools: [] }),
      ),
    );
  }
  const start = Date.now();
  await using opened = await openPage(server.address, "");
  const { page } = opened;
  await page.getByText("1,000 exchanges").waitFor();
  assert.ok(Date.now() - start < 60_000, `${Date.now() - start} ms`);
  assert.ok(await rows(page).count() < 60, "only what is seen is there");
  await page.locator(".grid").focus();
  await page.keyboard.press("End");
  await page.locator('.row[aria-rowindex="1001"][aria-selected="true"]').waitFor();
  const most = await page.evaluate(`new Promise((resolve) => {
    const grid = document.querySelector(".grid");
    let [most, frames] = [0, 0];
    const step = () => {
      most = Math.max(most, document.querySelectorAll(".row").length);
      grid.scrollTop = (frames * 977) % 37000;
      if (++frames < 40) requestAnimationFrame(step);
      else resolve(most);
    };
    requestAnimationFrame(step);
  })`);
  assert.ok(Number(most) < 200, `${most} rows are laid out at once`);
  await page.locator("#search").fill("model-777");
  await page.getByText("1 of 1,000 exchanges").waitFor();
});

test("an exchange of ten megabytes is shown at once, and all of it on demand", async () => {
  const file = "const fox = 'quick <brown>';\n".repeat(350_000);
  const json = JSON.stringify(file).slice(1, -1);
  await using server = inspected(
    says(
      ...`<tool_call>{"name": "write_file", "arguments": {"path": "a", "content": "${json}"}}</tool_call>`
        .match(/[^]{1,20000}/g)!,
    ),
    { limits: { exchanges: 10, bytes: 256 * 1024 * 1024 } },
  );
  const tool = { type: "function", function: { name: "write_file", parameters: {} } };
  await server.chat({ ...body, tools: [tool] });
  assert.equal(server.captures.list()[0]!.truncated, false);
  const start = Date.now();
  await using opened = await openPage(server.address, `#/exchange/${server.captures.list()[0]!.id}`);
  const { page } = opened;
  await page.locator(".call-label").first().waitFor({ timeout: 30_000 });
  const took = Date.now() - start;
  assert.ok(took < 90_000, `${took} ms`);
  const wrote = page.getByRole("region", { name: "The model wrote", exact: true });
  await wrote.getByText("are shown.").waitFor();
  await wrote.getByRole("button", { name: /^Show all \(1\d MB\)$/ }).click();
  // While it is filled in, the page still answers.
  const answered = Date.now();
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  assert.ok(Date.now() - answered < 30_000);
  await wrote.getByText("are shown.").waitFor({ state: "detached", timeout: 60_000 });
  const size = await wrote.locator("pre").first().evaluate((pre) => pre.textContent?.length ?? 0);
  assert.ok(size > json.length, `${size} characters`);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`in ${colorScheme} colours all text can be read`, async () => {
    await using server = models();
    const id = await idOf(server, "two-calls");
    await server.chat({ ...body, model: "failing" });
    await using opened = await openPage(server.address, "", { colorScheme });
    const { page } = opened;
    await rows(page).nth(1).waitFor();
    for (const hash of ["#/", `#/exchange/${id}`, "#/playground"]) {
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await page.locator(hash === "#/" ? ".row" : hash === "#/playground" ? "#step" : ".pane").first()
        .waitFor();
      assert.deepEqual(await page.evaluate(CONTRAST), [], hash);
    }
    const back = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    await page.evaluate("document.activeElement.blur()");
    await page.keyboard.press("t");
    await page.keyboard.press("t");
    const other = colorScheme === "dark" ? "Light" : "Dark";
    if (other === "Light") await page.keyboard.press("t"), await page.keyboard.press("t");
    await page.getByRole("button", { name: `Colours: ${other}` }).waitFor();
    assert.notEqual(await page.evaluate("getComputedStyle(document.body).backgroundColor"), back);
    await page.reload();
    await page.getByRole("button", { name: `Colours: ${other}` }).waitFor();
  });
}

/** Texts whose colour is too near to what lies behind them (WCAG AA). */
const CONTRAST = `(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return rgba("white");
  };
  const bad = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.data.trim() === "" || !element.checkVisibility() || element.closest("svg, :disabled, script, noscript")) continue;
    const [one, other] = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) bad.add(element.className + " " + node.data.slice(0, 20) + " " + ratio.toFixed(2));
  }
  return [...bad];
})()`;

test("on a small screen nothing is cut off to the side", async () => {
  await using server = models();
  const id = await idOf(server, "two-calls");
  await server.chat({ ...body, model: "a-model-with-a-name-that-is-far-too-long-for-any-telephone/really" });
  await using opened = await openPage(server.address, "", {
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
  });
  const { page } = opened;
  for (const hash of ["#/", `#/exchange/${id}`, "#/playground"]) {
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
    await page.locator(hash === "#/" ? ".row" : hash === "#/playground" ? "#step" : ".pane").first()
      .waitFor();
    const wide = await page.evaluate(`[...document.querySelectorAll("body, main, main *")].filter((element) =>
      element.checkVisibility() && !element.closest("svg, .row") && element.getBoundingClientRect().right > 361
    ).map((element) => element.tagName + "." + element.className)`);
    assert.deepEqual(wide, [], hash);
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 360, hash);
    assert.ok(Number(await page.evaluate("document.querySelector('main').scrollWidth")) <= 360, hash);
  }
});

test("everything that can be used has a name, and the page its landmarks", async () => {
  await using server = models();
  const id = await idOf(server, "two-calls");
  await using opened = await openPage(server.address, "");
  const { page } = opened;
  for (const hash of ["#/", `#/exchange/${id}`, "#/playground"]) {
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
    await page.locator(hash === "#/" ? ".row" : hash === "#/playground" ? "#step" : ".pane").first()
      .waitFor();
    const tree = await page.locator("body").ariaSnapshot();
    assert.doesNotMatch(
      tree,
      /^\s*- (?:button|link|tab|textbox|combobox|slider|searchbox)(?: \[[^\]]*\])*:?$/m,
      tree,
    );
    for (const role of ["banner", "navigation", "main"]) {
      assert.equal(await page.getByRole(role as "main").count(), 1, role);
    }
    const twice = await page.evaluate(`(() => {
      const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
      return ids.filter((id, n) => ids.indexOf(id) !== n);
    })()`);
    assert.deepEqual(twice, [], hash);
  }
  assert.equal(await page.evaluate("document.documentElement.lang"), "en");
});

test("a page that has lost its server says so, and comes back by itself", async () => {
  let server: Inspected | undefined = models();
  const { port, address } = server;
  const { page, ...opened } = await openPage(address, "");
  try {
    await page.getByText("live", { exact: true }).waitFor();
    await server[Symbol.asyncDispose]();
    await page.getByText("not connected").waitFor();
    await until("the port is free again", () => {
      try {
        server = inspected(says("x"), { port });
        return true;
      } catch {
        return false;
      }
    });
    await page.getByText("live", { exact: true }).waitFor();
    await server.chat(body);
    await rows(page).first().waitFor();
  } finally {
    await page.context().browser()?.close();
    await server?.[Symbol.asyncDispose]();
    void opened; // the browser complains, rightly, that the server was away
  }
});
