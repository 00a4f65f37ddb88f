// Nests of the plan: elementwise nodes computed together, and values filled with a number.

import type { NodeId } from "../../compiler/graph/graph.ts";
import { product } from "../plan/layout.ts";
import type { FusedItem } from "../plan/plan.ts";
import { filled } from "./expressions.ts";
import type { Generator } from "./generate.ts";
import { computeMembers } from "./members.ts";
import { emitNest, isOneLine, type NestOperand } from "./nest.ts";
import type { Scope } from "./tasks.ts";

/** What a nest reads and writes. */
function operandsOf({ places }: Generator, { loads, stores }: FusedItem): readonly NestOperand[] {
  return [
    ...loads.map(({ node, dims }) => {
      const reference = places.of(node);
      return { reference, dims: dims.map(d => (d < 0 ? 0 : reference.features.dims[d]!)) };
    }),
    ...stores.map(id => {
      const reference = places.of(id);
      return { reference, dims: reference.features.dims };
    }),
  ];
}

/** Whether several threads may share a nest of one row. */
export function isShareable(generator: Generator, item: FusedItem): boolean {
  const operands = operandsOf(generator, item);
  const { shape } = generator.node(item.nodes[0]!).type;
  const count = item.loads.length;
  return isOneLine({ shape, loads: operands.slice(0, count), stores: operands.slice(count) });
}

/** Elementwise nodes in one nest; where several threads share it, each computes a part. */
export function emitFused(generator: Generator, scope: Scope, item: FusedItem): void {
  const { nodes, loads, stores } = item;
  const { graph } = generator.program.schedule;
  const type = generator.node(nodes[0]!).type;
  const operands = operandsOf(generator, item);
  const parted = scope.team !== null && !type.batched && scope.bound.size === 0;
  generator.tasks.run(scope, {
    name: `nest ${generator.node(nodes.at(-1)!).label}`,
    nodes,
    free: generator.free(scope, type),
    rows: type.batched ? "each" : parted ? "parts" : "one",
    vectors: Math.ceil(product(type.shape) / generator.target.lanes),
    memories: operands.map(({ reference }) => reference.memory),
    flat: true,
    make: kernel =>
      emitNest(kernel, {
        shape: type.shape,
        batched: type.batched,
        parted,
        loads: operands.slice(0, loads.length),
        stores: operands.slice(loads.length),
        lanes: generator.target.lanes,
        body: (f, loaded) => {
          const values = computeMembers(f, graph, item, loaded);
          return stores.map(id => values.get(id)!);
        },
      }),
  });
}

/** Fills a stored value with a number, all of it that lies at the positions of the loops around. */
export function fillValue(generator: Generator, scope: Scope, id: NodeId, value: number): void {
  const { type } = generator.node(id);
  const reference = generator.places.of(id);
  generator.tasks.run(scope, {
    name: `fill ${generator.node(id).label}`,
    nodes: [id],
    free: generator.free(scope, type),
    rows: type.batched ? "each" : "one",
    memories: [reference.memory],
    flat: true,
    make: kernel =>
      emitNest(kernel, {
        shape: type.shape,
        batched: type.batched,
        loads: [],
        stores: [{ reference, dims: reference.features.dims }],
        lanes: generator.target.lanes,
        body: () => [filled(value, type.dtype)],
      }),
  });
}
