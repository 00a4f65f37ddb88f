// Where the matrices of products are packed: as soon as they are known, outside of all loops that do not change them.

import type { AxisId, NodeId, NodeOf } from "../../compiler/graph/graph.ts";
import type { Loop } from "../../compiler/schedule/schedule.ts";
import { type Item, ownersOf } from "../plan/plan.ts";
import { isStraight } from "./blocked.ts";
import { asProduct, type RowsTimesMatrix } from "./contract.ts";
import type { Generator } from "./generate.ts";
import type { Scope } from "./tasks.ts";

/** A product whose matrix is packed outside of some loops. */
export interface Packing {
  readonly node: NodeOf<"contract">;
  readonly spec: RowsTimesMatrix;
  /** Equal for equal packed matrices. */
  readonly key: string;
  /** Loops around the place where it is packed. */
  readonly depth: number;
  /** An axis of whose steps the last needs no product. */
  readonly notLast: AxisId | null;
}

/** The products among items that lie in `loops`, with where their matrices are known. */
export function packingsOf(
  generator: Generator,
  items: readonly Item[],
  loops: readonly Loop[],
): readonly Packing[] {
  return items.flatMap((item): readonly Packing[] => {
    if (item.kind === "loop") return packingsOf(generator, item.body, [...loops, item.loop]);
    if (item.kind !== "kernel" || item.accumulate) return [];
    const node = generator.node(item.node);
    if (node.op !== "contract") return [];
    const spec = asProduct(
      node,
      generator.contractOperands(node),
      loops.map(({ axis }) => axis),
      generator.target.lanes,
      generator.lengthOf,
    );
    if (spec === null) return [];
    const matrix = generator.node(node.inputs[1 - spec.rows]!);
    if (generator.places.blocked.has(matrix.id) && isStraight(spec)) return [];
    const made = Math.max(
      0,
      ...ownersOf(generator.plan, generator.program.schedule.graph, matrix.id).map(
        id => generator.plan.home.get(id)?.length ?? 0,
      ),
    );
    const bound = loops.findLastIndex(({ axis }) => matrix.type.axes.includes(axis)) + 1;
    const loop = loops.at(-1);
    const notLast = loop !== undefined && generator.carried.isForNext(item, loop) ? loop.axis : null;
    const { k, n, kStride, nStride } = spec;
    const key = `${matrixKey(matrix.id)} ${k} ${n} ${kStride} ${nStride}`;
    return [{ node, spec, key, depth: Math.max(made, bound), notLast }];
  });
}

/** Packs a product's matrices. */
export function pack(generator: Generator, scope: Scope, { node, spec }: Packing): void {
  const id = node.inputs[1 - spec.rows]!;
  const isBlocked = generator.places.blocked.has(id);
  generator.products.pack(scope, node, matrixKey(id), spec, {
    reference: generator.places.of(id),
    isBlocked,
  });
}

/** Matrices of one key are one matrix: parameters by name, others by node. */
export const matrixKey = (id: NodeId): string => `%${id}`;
