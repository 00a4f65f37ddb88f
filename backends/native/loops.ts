// How a loop begins, and what leaves it: sequences of what is read outside, and sums over its turns.

import type { Node, NodeId } from "../../compiler/graph/graph.ts";
import type { Loop } from "../../compiler/schedule/schedule.ts";
import type { Carried } from "./carried.ts";
import { type Site, wholeOf } from "./context.ts";
import { lower } from "./lowering.ts";
import { type Ended, keptFor } from "./motion.ts";
import { Scope } from "./scope.ts";
import { TurningLoop } from "./turning.ts";
import type { Value } from "./values.ts";

/** @param number tells the program's loops apart. */
export function loopScope(site: Site, loop: Loop, number: number, outer: Scope): Scope {
  const frame = outer.loop?.turning.frame ?? site.ops.root;
  const extent = site.values.sizes.extent(loop.axis);
  const turning = new TurningLoop(site.ops, `loop${number}`, loop, extent, frame);
  return new Scope(site.values, outer, { loop, turning });
}

/** Ends the loop's turn, when all of its steps are there, and gives the scope around what comes of it. */
export function leave(site: Site, scope: Scope, carried: Carried, sums: readonly Node[]): void {
  const outer = scope.outer!;
  const { later, kept } = divided(site, scope, sums);
  for (const node of sums) if (!later.includes(node)) outer.set(node.id, runningSum(site, node, scope));
  carried.turn();
  for (const [id, value] of scope.own) if (kept.has(id)) outer.set(id, sequenceOf(site, id, value, scope));
  for (const node of later) {
    for (const id of node.inputs) site.bring(id, outer);
    site.set(node, outer);
  }
}

/** Which sums over the turns are computed when the loop has ended, and what is kept as sequences. */
function divided(
  site: Site,
  scope: Scope,
  sums: readonly Node[],
): { readonly later: readonly Node[]; readonly kept: ReadonlySet<NodeId> } {
  const { axis } = scope.loop!.loop;
  const kept = new Set([...scope.own.keys()].filter(id => site.keeps(id, axis)));
  const ended: Ended = {
    graph: site.graph,
    axis,
    isThere: id => kept.has(id) || site.find(id, scope.outer!) !== null,
    isOwn: id => scope.own.has(id),
    usersOf: id => site.usersOf(id),
  };
  const later = sums.filter(node => {
    const more = keptFor(node, ended);
    for (const id of more ?? []) kept.add(id);
    return more !== null;
  });
  return { later, kept };
}

/** The sum of what the node is at each turn. */
function runningSum(site: Site, node: Node, scope: Scope): Value {
  const { ops, values } = site;
  const { turning } = scope.loop!;
  return ops.for(node, () => {
    const part = lower(node, site.contextOf(scope));
    const whole = wholeOf(site.contextOf(scope), node.type);
    const zero = values.full(values.scalar(ops.real(0)), whole);
    const sum = turning.variable(zero.tensor);
    turning.next(sum, ops.binary("AddV2", sum.tensor, values.full(part, whole).tensor));
    return { ...whole, tensor: turning.exit(sum) };
  });
}

/** The values of all turns, or the one that is the same at all. */
function sequenceOf(site: Site, id: NodeId, value: Value, scope: Scope): Value {
  const { loop, turning } = scope.loop!;
  if (value.tensor.frame !== turning.frame) return value;
  return site.ops.for(site.graph.nodes.get(id)!, () => {
    const sequence = turning.sequence(value.tensor.dtype, site.values.dims(value));
    turning.write(sequence, value.tensor);
    const axes = [loop.axis, ...value.axes];
    return site.values.inOrder({ ...value, tensor: turning.exit(sequence), axes });
  });
}
