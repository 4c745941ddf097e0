/** The page's files, as texts: they are part of the executable. */
import bytes from "./page/bytes.js" with { type: "text" };
import curl from "./page/curl.js" with { type: "text" };
import data from "./page/data.js" with { type: "text" };
import diff from "./page/diff.js" with { type: "text" };
import dom from "./page/dom.js" with { type: "text" };
import exchangeStyle from "./page/exchange.css" with { type: "text" };
import exchange from "./page/exchange.js" with { type: "text" };
import format from "./page/format.js" with { type: "text" };
import icon from "./page/icon.svg" with { type: "text" };
import index from "./page/index.html" with { type: "text" };
import listStyle from "./page/list.css" with { type: "text" };
import list from "./page/list.js" with { type: "text" };
import main from "./page/main.js" with { type: "text" };
import message from "./page/message.js" with { type: "text" };
import notices from "./page/notices.js" with { type: "text" };
import panes from "./page/panes.js" with { type: "text" };
import parts from "./page/parts.css" with { type: "text" };
import playback from "./page/playback.js" with { type: "text" };
import playgroundStyle from "./page/playground.css" with { type: "text" };
import playground from "./page/playground.js" with { type: "text" };
import request from "./page/request.js" with { type: "text" };
import rows from "./page/rows.js" with { type: "text" };
import spans from "./page/spans.js" with { type: "text" };
import style from "./page/style.css" with { type: "text" };
import textStyle from "./page/text.css" with { type: "text" };
import timelineStyle from "./page/timeline.css" with { type: "text" };
import timeline from "./page/timeline.js" with { type: "text" };
import title from "./page/title.js" with { type: "text" };
import tip from "./page/tip.js" with { type: "text" };
import longText from "./page/long_text.js" with { type: "text" };
import wanted from "./page/wanted.js" with { type: "text" };

/** A file as it is served. */
export interface PageFile {
  readonly text: string;
  readonly type: string;
}

const script = (text: unknown): PageFile => ({
  text: text as string,
  type: "text/javascript; charset=utf-8",
});
const sheet = (text: unknown): PageFile => ({ text: text as string, type: "text/css; charset=utf-8" });

/** By their path under the page's own; the page itself has none. */
export const pageFiles: ReadonlyMap<string, PageFile> = new Map([
  ["", { text: index as unknown as string, type: "text/html; charset=utf-8" }],
  ["icon.svg", { text: icon as unknown as string, type: "image/svg+xml" }],
  ["bytes.js", script(bytes)],
  ["curl.js", script(curl)],
  ["data.js", script(data)],
  ["diff.js", script(diff)],
  ["dom.js", script(dom)],
  ["exchange.css", sheet(exchangeStyle)],
  ["exchange.js", script(exchange)],
  ["format.js", script(format)],
  ["list.css", sheet(listStyle)],
  ["list.js", script(list)],
  ["long_text.js", script(longText)],
  ["main.js", script(main)],
  ["message.js", script(message)],
  ["notices.js", script(notices)],
  ["panes.js", script(panes)],
  ["parts.css", sheet(parts)],
  ["playback.js", script(playback)],
  ["playground.css", sheet(playgroundStyle)],
  ["playground.js", script(playground)],
  ["request.js", script(request)],
  ["rows.js", script(rows)],
  ["spans.js", script(spans)],
  ["style.css", sheet(style)],
  ["text.css", sheet(textStyle)],
  ["timeline.css", sheet(timelineStyle)],
  ["timeline.js", script(timeline)],
  ["title.js", script(title)],
  ["tip.js", script(tip)],
  ["wanted.js", script(wanted)],
]);
