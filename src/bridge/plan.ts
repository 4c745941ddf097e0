/** How a request is asked: the ways that are tried one after the other, until an answer is of use. */
import { liveDialects } from "../dialects/mod.ts";
import type { Dialect } from "../parse/dialect.ts";
import { dialectsFor, patternOf, type RepairConfig } from "../repair_config.ts";
import type { ChatRequest } from "../wire/chat_request.ts";
import type { Json } from "../wire/openai.ts";
import type { Report } from "../wire/problem.ts";
import { leavesUsageOpen } from "../wire/usage.ts";
import { encodeRequest, mostCalls } from "./encode_request.ts";
import { bridgeOf } from "./mod.ts";

/** One way to ask. */
export interface Way {
  readonly bridged: boolean;
  /** The upstream's request; undefined: the client's own. */
  readonly body: Json | undefined;
  readonly dialects: readonly Dialect[];
  /** The most calls that may come back. */
  readonly most: number;
  /** The chunk with nothing but usage is Callmend's own wish, not the client's. */
  readonly dropsUsage: boolean;
}

/** The way that is gone now, and whether there is another. */
export interface Course {
  readonly way: Way;
  /** An answer that says nothing will not do. */
  readonly judged: boolean;
  /** An error that is about tools leads on to the bridge. */
  readonly mayFallBack: boolean;
  /** The answer was of no use: goes on to the next way; false when there is none. */
  next(why: string): boolean;
  /** The answer was of no use, but has gone out: the model is bridged the next time. */
  distrust(why: string): void;
}

export interface Planner {
  /** Whether a request is bridged at once. */
  bridges(chat: Pick<ChatRequest, "model" | "tools">): boolean;
  /** How a request is asked; `bridged` is its body for the bridge; `problem` is told when a way came to nothing. */
  plan(chat: ChatRequest, bridged: () => Json, problem: Report): Course;
}

/** The line that a model is given when it has said nothing. */
const EMPTY = "Your last answer was empty: it had neither text nor a tool call. " +
  "Please answer now, with a tool call or with text, in the form that the instructions describe.";

/** Clients choose the names of models: of more than so many the oldest is forgotten. */
const MOST_MODELS = 200;

export function createPlanner(config: RepairConfig): Planner {
  const fellBack = new Map<string, number>(); // until when a model is bridged
  const bridgedModels = config.bridgeModels?.map(patternOf);
  const lists = new WeakMap<Dialect, WeakMap<readonly Dialect[], readonly Dialect[]>>(); // see `inFront()`

  const nativeOf = (model: string) => liveDialects(dialectsFor(model, config.dialects));

  /** A protocol's own dialect in front of all others; the same list for the same, as it is compiled once. */
  const inFront = (own: Dialect, others: readonly Dialect[]): readonly Dialect[] => {
    let byOthers = lists.get(own);
    if (byOthers === undefined) lists.set(own, byOthers = new WeakMap());
    let live = byOthers.get(others);
    if (live === undefined) byOthers.set(others, live = [own, ...others]);
    return live;
  };

  const modeOf = (model: string): RepairConfig["mode"] => {
    const mode = listed(bridgedModels, model) ?? config.mode;
    return mode === "fallback" && (fellBack.get(model) ?? 0) > Date.now() ? "bridge" : mode;
  };

  const nativeWay = ({ model }: ChatRequest): Way => ({
    bridged: false,
    body: undefined,
    dialects: nativeOf(model),
    most: Infinity,
    dropsUsage: false,
  });

  const bridgeWay = ({ model, tools }: ChatRequest, body: Json, reason?: string): Way => {
    const bridge = bridgeOf(config.bridgeProtocol);
    const most = mostCalls(body, config.bridgeMaxCalls);
    return {
      bridged: true,
      body: encodeRequest(body, { bridge, most, reason }),
      dialects: inFront(bridge.dialect(tools), nativeOf(model)),
      most,
      dropsUsage: leavesUsageOpen(body),
    };
  };

  const modeFor = ({ model, tools }: Pick<ChatRequest, "model" | "tools">) =>
    tools.length === 0 ? "native" : modeOf(model);

  return {
    bridges: (chat) => modeFor(chat) === "bridge",
    plan(chat, bridged, problem) {
      const mode = modeFor(chat);
      const remember = (why: string) => {
        const now = Date.now();
        for (const [model, until] of fellBack) {
          if (until <= now || fellBack.size >= MOST_MODELS) fellBack.delete(model);
        }
        fellBack.set(chat.model, now + config.fallbackMs);
        problem("fell-back", why);
      };
      let way = mode === "bridge" ? bridgeWay(chat, bridged()) : nativeWay(chat);
      let retried = false;
      return {
        get way() {
          return way;
        },
        judged: mode !== "native",
        get mayFallBack() {
          return mode === "fallback" && !way.bridged;
        },
        next(why) {
          if (mode === "native" || retried) return false;
          retried = way.bridged;
          if (retried) problem("turn-empty", why);
          else remember(why);
          way = bridgeWay(chat, bridged(), retried ? EMPTY : undefined);
          return true;
        },
        distrust: remember,
      };
    },
  };
}

/** Models that are listed bridge at once, all others fall back; without a list, the mode decides. */
function listed(models: readonly RegExp[] | undefined, model: string): RepairConfig["mode"] | undefined {
  if (models === undefined) return undefined;
  return models.some((each) => each.test(model)) ? "bridge" : "fallback";
}
