// What the place where engines run is told and what it answers: one reply to each request. Processes read and write
// lines of JSON, pages are called with the same.

import type { Case } from "./cases.ts";

export type Command =
  | { readonly do: "probe" }
  | { readonly do: "open"; readonly case: Case; readonly file: string }
  | { readonly do: "time"; readonly budget: number }
  | { readonly do: "cost"; readonly budget: number }
  | { readonly do: "close" };

/** For the engine of that name. */
export type Request = { readonly engine: string } & Command;

export type Reply = { readonly value: unknown } | { readonly error: string };

/** What a reply's line begins with: libraries print what they like. */
export const mark = "=> ";

/** Where a page finds the work of the case that is open. */
export const workAddress = "work";
