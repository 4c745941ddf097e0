/** What can be wrong with an answer beside its text: the names under which it is logged and counted. */
import type { ProblemCode } from "../parse/event.ts";

/** Every mend of the wire has a name, as every recovery of the parser has. */
export type WireProblemCode =
  | "answer-empty" // an answer without a single choice: the client gets an error
  | "call-mended" // a native call without its index, id or type, or with one of them twice
  | "call-limit" // more calls in one answer than the model was told it may make; dropped
  | "call-nameless" // a native call whose name never came
  | "call-salvaged" // the upstream's own parser failed; the call was read from the text that its error carried
  | "call-twice" // a native call that was written in the text as well; delivered once
  | "calls-run-together" // several argument objects in one native call; each is a call of its own
  | "calls-empty" // an empty list of calls; dropped
  | "choices-missing" // a chunk without its list of choices
  | "done-missing" // the stream ended without `[DONE]`
  | "envelope-missing" // a chunk without id, object, created or model
  | "event-cut" // the stream ended inside an event; dropped
  | "event-too-large" // an event larger than may be held; it passes unread
  | "event-unreadable" // an event that is no JSON object; it passes as it is
  | "fell-back" // the native answer was of no use; the model is asked again through the bridge
  | "fix-failed" // a vendor's fix threw; it is out for the rest of the exchange
  | "finish-changed" // a finish reason that is not the protocol's, or does not fit the calls
  | "finish-missing" // the stream ended without a finish reason
  | "finish-repeated" // a second finish reason; dropped
  | "markup-left" // text that looks like the markup of a call went out as text, outside of code
  | "role-missing" // the first delta of a choice without its role
  | "stage-failed" // a stage threw; it is out for the rest of the answer
  | "turn-empty" // an answer without text and without a call; the model is asked once more
  | "upstream-broke" // the upstream's connection broke off in the middle of the answer
  | "upstream-error" // an error inside an answer that had begun with status 200
  | "upstream-open"; // the upstream had finished, but did not close

/** A problem of the text or of the wire. */
export type AnyProblemCode = ProblemCode | WireProblemCode;

/** Takes a problem, for the log and the metrics. */
export type Report = (code: AnyProblemCode, detail: string) => void;
