// What a host's process is told and what it answers: lines of JSON, one reply to each request.

import type { Case } from "./cases.ts";

export type Request =
  | { readonly do: "probe" }
  | { readonly do: "open"; readonly case: Case; readonly file: string }
  | { readonly do: "time"; readonly budget: number }
  | { readonly do: "close" };

export type Reply = { readonly value: unknown } | { readonly error: string };

/** What a reply's line begins with: libraries print what they like. */
export const mark = "=> ";
