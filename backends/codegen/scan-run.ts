// Which loops run as scans (scan.ts). A scan saves a call for each nest and step, and what is carried or summed up stays
// in registers. But it reads memory in small pieces: where a step is wide and most of its work is to read and write
// whole sequences, going through them step by step is faster. So the code has both ways, and the batch decides.

import type { NodeId } from "../../compiler/graph/graph.ts";
import type { LoopItem } from "../plan/plan.ts";
import type { Generator } from "./generate.ts";
import { type Scan, scanOf } from "./scan.ts";
import { ScanKernel } from "./scan-kernel.ts";
import { isLong, isNarrow } from "./scan-width.ts";
import type { Scope } from "./tasks.ts";

/** Runs a loop as a scan where that is possible and faster, else by `stepByStep`. */
export function runScan(generator: Generator, scope: Scope, item: LoopItem, stepByStep: () => void): void {
  const { program, plan, places, tasks, target } = generator;
  const { graph, keeping } = program.schedule;
  const bound = [...scope.bound.keys()];
  const scan = scanOf({ graph, plan, places, keeping, primary: tasks.around.primary, bound }, item);
  if (scan === null) {
    stepByStep();
    return;
  }
  const run = (): void => emitTask(generator, scope, scan);
  if (savesMuch(scan, item)) {
    run();
    return;
  }
  scope.f.if(isNarrow(scan, scope, target.lanes), run, stepByStep);
}

/** Whether it touches memory so much less often that it does not matter how. */
function savesMuch(scan: Scan, { body }: LoopItem): boolean {
  const { sizes, operands, stores } = scan;
  // A running sum reads its terms again and goes over its result.
  const stepwise = body.reduce(
    (sum, item) => sum + (item.kind === "fused" ? item.loads.length + item.stores.length : 3),
    0,
  );
  const moving = operands.filter(
    ({ reference: { memory } }) => memory.kind === "delay" || memory.along.size > 0,
  );
  const least = isLong(scan) ? muchLess.beside : muchLess.alone;
  return sizes.length > 0 && stepwise > least * (moving.length + stores.length);
}

/**
 * By how many times a scan must touch memory less often for it not to matter that it does so in small pieces; fewer
 * where long arithmetic goes on beside it. Measured on one core of a Zen 5 server with 128 to 512 vectors a step: some
 * 0.5 ns for each vector that a scan reads or writes, 0.25 where memory is read in order, and 0.1 for what is still in
 * the first-level cache; 4 ns for a sigmoid.
 */
const muchLess = { alone: 3.5, beside: 2 } as const;

function emitTask(generator: Generator, scope: Scope, scan: Scan): void {
  const { target, tasks } = generator;
  const [carried] = scan.carried;
  const { label } = generator.node(carried?.value ?? scan.items[0]!.item.nodes[0]!);
  const shared = scan.sums.some(({ node }) => !generator.node(node).type.batched);
  const ownSum = (id: NodeId): number =>
    scope.team === null || generator.node(id).type.batched ? 0 : generator.ownSum(id);
  tasks.run(scope, {
    name: `scan ${scan.loop.direction} ${label}`,
    nodes: [...scan.items.flatMap(({ item }) => item.nodes), ...scan.sums.map(({ node }) => node)],
    free: [],
    rows: !scan.batched ? "one" : shared ? "all" : "each",
    // Sums have sizes of their own: what the kernel gets is the thread's number.
    ownBytes: 1,
    memories: [],
    flat: false,
    make: kernel => new ScanKernel(kernel, scan, target.lanes, ownSum).emit(),
  });
}
