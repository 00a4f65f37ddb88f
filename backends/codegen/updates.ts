// The end of a step: parameters and states take their new values. Where code before has written them in place nothing
// is left to do.

import type { NodeId } from "../../compiler/graph/graph.ts";
import { product } from "../plan/layout.ts";
import { copyFeatures } from "./copies.ts";
import type { Generator } from "./generate.ts";
import type { Reference } from "./places.ts";
import type { Scope } from "./tasks.ts";

export function copyUpdates(generator: Generator, scope: Scope): void {
  const { updates, schedule } = generator.program;
  const late: (() => void)[] = [];
  for (const { target, output } of updates) {
    const id = schedule.graph.outputs.get(output)!;
    const to = generator.places.variables.get(target)!.reference;
    const from = generator.places.of(id);
    if (from === to) continue;
    if (!isVariable(generator, id)) {
      copyValue(generator, scope, id, from, to);
      continue;
    }
    // What is itself a parameter or state may be the target of another update: two may change places.
    const { axes, shape } = generator.node(id).type;
    const rows = product(axes.map(axis => generator.places.staticLength(axis)));
    const aside = generator.places.aside(generator.node(id).type, rows * generator.places.rowBytes(shape));
    copyValue(generator, scope, id, from, aside);
    late.push(() => copyValue(generator, scope, id, aside, to));
  }
  for (const copy of late) copy();
}

function isVariable({ plan, places }: Generator, id: NodeId): boolean {
  let at = id;
  for (let next = plan.viewed.get(at); next !== undefined; next = plan.viewed.get(at)) at = next;
  const { op } = places.node(at);
  return op === "parameter" || op === "state";
}

function copyValue(generator: Generator, scope: Scope, id: NodeId, from: Reference, to: Reference): void {
  const { axes, shape } = generator.node(id).type;
  generator.tasks.run(scope, {
    name: `update ${generator.node(id).label}`,
    nodes: [id],
    free: axes,
    rows: "one",
    memories: [],
    flat: false,
    make: kernel => {
      const [a, b] = [kernel.rows(from).address, kernel.rows(to).address];
      const { lanes } = generator.target;
      copyFeatures(
        kernel.f,
        shape,
        { address: a, dims: from.features.dims },
        { address: b, dims: to.features.dims },
        lanes,
      );
    },
  });
}
