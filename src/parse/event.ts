/** What a model turn is made of, whatever dialect it was written in. */
export type TurnEvent =
  | { readonly type: "content-delta"; readonly text: string }
  | { readonly type: "reasoning-delta"; readonly text: string }
  | {
    readonly type: "call-start";
    readonly index: number;
    readonly name: string;
    readonly id?: string;
    readonly dialect: string;
  }
  | { readonly type: "call-delta"; readonly index: number; readonly json: string }
  | { readonly type: "call-end"; readonly index: number }
  | { readonly type: "problem"; readonly code: ProblemCode; readonly detail: string };

/** Which field of the answer a text came in. */
export type Field = "content" | "reasoning";

/** Every recovery and every refusal has a name; they reach the log, the metrics and the inspector. */
export type ProblemCode =
  | "arguments-repaired" // the JSON of the arguments was not strict; written anew, with the same meaning
  | "call-broken" // a call broke off in the middle of the turn after part of it had gone out; never closed
  | "call-truncated" // the turn ended inside a call; it is not delivered as whole
  | "call-in-reasoning" // a call in the reasoning counted, as the answer held nothing else
  | "closer-missing" // a closing tag was left out; what followed showed where the call ended
  | "dialect-failed" // a dialect threw; its block passes as text
  | "draft" // a call inside closed reasoning; it stays reasoning
  | "fence-unwrapped" // a code fence that held nothing but calls, as the last thing said
  | "name-resolved" // a tool name was off by case, separators, prefix or suffix; the one tool it fits is called
  | "not-a-call" // an opener was seen but what followed is plain text
  | "opener-missing" // the wrapper of a block was left out; the call was whole without it
  | "parameter-repeated" // one parameter came twice
  | "parameter-type" // a value did not fit its schema; passed on as a string
  | "result-invented" // the model made up a tool result after its call; dropped, and the answer ends there
  | "special-token" // an end-of-turn token leaked into the text; dropped
  | "too-ambiguous" // so many openers that came to nothing that looking further would cost too much
  | "unknown-tool"; // a call of a tool that was not offered
