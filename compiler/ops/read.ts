// Reads a graph from its text form and checks it: what a bug report or a test fixture pastes becomes a graph only
// when the types written are the ones the ops' rules give.

import type { NodeId } from "../graph/graph.ts";
import { type Parsed, parseGraph } from "../graph/text.ts";
import { verify } from "./verify.ts";

/** Parses and verifies. `line` is that of the first node in trouble, 1 where the trouble is no node's. */
export function readGraph(text: string): Parsed {
  const parsed = parseGraph(text);
  if (!parsed.ok) return parsed;
  const [problem] = verify(parsed.graph);
  if (problem === undefined) return parsed;
  const id = /^%(\d+)/.exec(problem)?.[1];
  return { ok: false, line: id === undefined ? 1 : lineOf(text, Number(id) as NodeId), problem };
}

const lineOf = (text: string, id: NodeId): number =>
  text.split("\n").findIndex(line => line.trim().startsWith(`%${id} `)) + 1;
