// What backends cannot run, as data that loads without them: `auto` passes over a backend for such a program, and
// spec/backends.md shows it (scripts/backends.mjs writes that page).

import type { OpName } from "../compiler/graph/graph.ts";

/** The reason, by op: `its shaders have no 64-bit integers`. */
export type Limits = { readonly [O in OpName]?: string };

/** By a backend's name; one without an entry runs everything. */
const limits: ReadonlyMap<string, Limits> = new Map<string, Limits>([]);

export const limitsOf = (name: string): Limits => limits.get(name) ?? {};

/** The names that have limits, for the test that there are such backends. */
export const limited = (): readonly string[] => [...limits.keys()];

/** A table for people: ops by backend, a tick or the number of a reason below. */
export function limitsPage(
  backends: readonly string[],
  ops: readonly OpName[],
  of: (backend: string) => Limits = limitsOf,
): string {
  const reasons: string[] = [];
  const cell = (backend: string, op: OpName): string => {
    const reason = of(backend)[op];
    if (reason === undefined) return "yes";
    if (!reasons.includes(reason)) reasons.push(reason);
    return `no (${reasons.indexOf(reason) + 1})`;
  };
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rows = ops.map(op => row([`\`${op}\``, ...backends.map(name => cell(name, op))]));
  return [
    "# Which backend runs which op",
    "",
    "The ops are those of `frond dump graph`; every program is made of them. A backend that cannot run one says so here,",
    "with the reason, and is passed over by `auto` for programs that have it. Written by `node scripts/backends.mjs` from",
    "`backends/limits.ts`.",
    "",
    row(["op", ...backends.map(name => `\`${name}\``)]),
    row(["---", ...backends.map(() => "---")]),
    ...rows,
    "",
    ...(reasons.length === 0
      ? ["All backends run all ops."]
      : reasons.map((reason, i) => `${i + 1}. ${reason}`)),
    "",
  ].join("\n");
}
