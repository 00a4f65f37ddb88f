// How much a step of a program is, whoever computes it: what draws are counted against.

import { isElementwise, traitsOf } from "../../backends/gpu/lowering.ts";
import { sumInStages } from "../../backends/gpu/stages.ts";
import { type Item, makePlan } from "../../backends/plan/plan.ts";
import { prepare } from "../../backends/plan/prepare.ts";
import type { Program } from "../../compiler/index.ts";

/** Elementwise groups and products that a step computes, where axes of unknown length have so many positions. */
export function groupsAndProducts(given: Program, extent: number): number {
  const program = sumInStages(prepare(given, { isElementwise, sinks: false }));
  const { axes, nodes } = program.schedule.graph;
  const count = (items: readonly Item[]): number =>
    items.reduce((sum, item) => {
      if (item.kind === "loop") {
        const turns = axes.find(({ id }) => id === item.loop.axis)!.length ?? extent;
        return sum + turns * count(item.body);
      }
      const isProduct = item.kind === "kernel" && nodes.get(item.node)!.op === "contract";
      return sum + Number(item.kind === "fused" || isProduct);
    }, 0);
  return count(makePlan(program, traitsOf(program)).items);
}
