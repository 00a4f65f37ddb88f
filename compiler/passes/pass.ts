// What a pass over graphs is, and the runner. A pass takes a sound graph and returns a sound graph with the same
// outputs, each of the same type and value; it keeps the ids of the nodes that it keeps.

import type { Graph } from "../graph/graph.ts";
import { verify } from "../ops/verify.ts";
import { InternalError } from "../unreachable.ts";

export interface Pass {
  readonly name: string;
  /** One sentence; the page is the header of the pass's file. */
  readonly doc: string;
  readonly run: (graph: Graph) => Graph;
}

export interface RunOptions {
  /** Check the graph after each pass. Always on in tests. */
  readonly verify?: boolean;
  /** Called after each pass: for printing and timing, which are not the passes' business. */
  readonly observe?: (pass: Pass, graph: Graph) => void;
}

export function runPasses(graph: Graph, passes: readonly Pass[], options: RunOptions = {}): Graph {
  let current = graph;
  for (const pass of passes) {
    current = pass.run(current);
    if (options.verify === true) {
      const [problem] = verify(current);
      if (problem !== undefined) throw new InternalError(`pass ${pass.name}`, problem);
    }
    options.observe?.(pass, current);
  }
  return current;
}
