/** What each problem means, in words: for whoever looks at an exchange and has never read the source. */
import type { AnyProblemCode } from "../wire/problem.ts";

/** One or two sentences for each code: what was seen, and what Callmend did. */
export const problemWords: { readonly [code in AnyProblemCode]: string } = {
  "answer-empty": "The answer held not one choice. The client was told so, as an error.",
  "arguments-repaired":
    "The JSON of the arguments was not strict. It was written anew, with the same meaning.",
  "call-broken":
    "A call broke off in the middle of the turn after part of it had gone out. It is never closed, so that no client runs it.",
  "call-in-reasoning": "The call stood in the reasoning. It counts, as the answer holds nothing else.",
  "call-limit":
    "More calls in one answer than the model was told it may make. Those beyond the limit were dropped.",
  "call-mended":
    "A call of the upstream lacked its index, id or type, or had one of them twice. It was filled in.",
  "call-nameless": "A call of the upstream never got a name. It was dropped.",
  "call-salvaged":
    "The upstream's own parser failed. The call was read from the text that its error carried.",
  "call-truncated":
    "The answer ended inside a call. It is not delivered as whole: a file cut in half would be written.",
  "call-twice": "The upstream delivered a call that stood in the text as well. It was delivered once.",
  "calls-empty":
    "The upstream sent an empty list of calls. It was dropped: clients take it for the start of one.",
  "calls-run-together": "Several argument objects stood in one call. Each became a call of its own.",
  "choices-missing": "A chunk came without its list of choices. An empty list was put in.",
  "closer-missing": "A closing tag was left out. What followed showed where the call ended.",
  "dialect-failed": "A dialect's reader failed. What it was reading passes as text.",
  "done-missing": "The stream ended without [DONE]. It was added.",
  "draft":
    "A call inside reasoning that was closed, or followed by an answer, is a draft. It stays reasoning.",
  "envelope-missing": "A chunk came without id, object, created or model. They were filled in.",
  "event-cut": "The stream ended inside an event. The half event was dropped.",
  "event-too-large": "An event was larger than may be held. It passed unread.",
  "event-unreadable": "An event was no JSON object. It passed as it is.",
  "fell-back": "The native answer was of no use. The model was asked again, with the tools taught as text.",
  "fence-unwrapped":
    "A code fence held nothing but calls, as the last thing said. The fence was dropped and the calls count.",
  "finish-changed": "The finish reason was not the protocol's, or did not fit the calls. It was replaced.",
  "finish-missing": "The stream ended without a finish reason. One was added.",
  "finish-repeated": "A second finish reason came. It was dropped.",
  "fix-failed": "A vendor's fix failed. It was left out for the rest of the exchange.",
  "markup-left":
    "This looks like the markup of a call, but no dialect reads it, so it went out as text. If it was meant as a call, it is worth a bug report.",
  "name-resolved":
    "The tool's name was off by case, separators, a prefix or a suffix. The one tool that it fits is called.",
  "not-a-call": "This looks like the start of a call, but what follows is plain text. It was left as it is.",
  "opener-missing": "The wrapper around the calls was left out. The call was whole without it.",
  "parameter-repeated": "One parameter came twice. The last one counts.",
  "parameter-type": "A value did not fit its schema. It was passed on as a string.",
  "result-invented":
    "The model made up a tool result after its own call. It was dropped, and the answer ends there.",
  "role-missing": "The first piece of the answer came without its role. It was added.",
  "special-token": "A token that ends the turn leaked into the text. It was dropped.",
  "stage-failed": "A step of the way back failed. It was left out for the rest of the answer.",
  "too-ambiguous":
    "So many openers came to nothing that looking further would cost too much. What follows passes as text.",
  "turn-empty": "The answer held neither text nor a call. The model was asked once more.",
  "unknown-tool":
    "A tool was called that the request does not offer. It is a call only as the last thing said; else it is text.",
  "upstream-broke": "The upstream's connection broke off in the middle of the answer.",
  "upstream-error": "The upstream reported an error inside an answer that had begun with status 200.",
  "upstream-open": "The upstream had finished, but did not close. Callmend closed the answer.",
};
