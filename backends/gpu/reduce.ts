// sum, max, logsumexp and argmax: one draw, each element of the result a loop over what it is made of.

import type { NodeOf } from "../../compiler/graph/graph.ts";
import { isAligned } from "./aligned.ts";
import type { Cell, Cells, Reference } from "./cells.ts";
import { type Emitter, type Env, typeOf, type Width } from "./emit.ts";
import { reduceOver, writeElements, writeTexels } from "./rows.ts";

type ReductionNode = NodeOf<"sum" | "max" | "logsumexp">;

export function writeReduction(
  emitter: Emitter,
  cells: Cells,
  cell: Cell,
  node: ReductionNode,
  accumulate: boolean,
): void {
  const reduction = new Reduction(emitter, cells, cell, node, accumulate);
  const { shape } = node.type;
  if (reduction.isAligned) writeTexels(emitter, cell, shape, (env, out) => reduction.value(env, out, 4));
  else writeElements(emitter, cell, shape, (env, out) => reduction.value(env, out, 1));
}

class Reduction {
  readonly isAligned: boolean;
  readonly #emitter: Emitter;
  readonly #cell: Cell | null;
  readonly #node: ReductionNode;
  readonly #accumulate: boolean;
  readonly #operand: Reference;
  readonly #cells: Cells;

  /** @param cell of what is summed up; null where nothing is. */
  constructor(emitter: Emitter, cells: Cells, cell: Cell | null, node: ReductionNode, accumulate: boolean) {
    this.#emitter = emitter;
    this.#cells = cells;
    this.#cell = cell;
    this.#node = node;
    this.#accumulate = accumulate;
    this.#operand = cells.of(node.inputs[0]!);
    const { shape } = cells.node(node.inputs[0]!).type;
    const last = shape.length - 1;
    const keepsLast = last >= 0 && !node.attrs.dims.includes(last) && shape[last]! > 1;
    this.isAligned = keepsLast && isAligned(this.#operand);
  }

  value(env: Env, out: readonly string[], width: Width): string {
    const f = this.#emitter;
    const { op } = this.#node;
    if (op === "sum") {
      const total = f.variable(typeOf(width), this.#start(env, out, width));
      this.#each(env, out, width, x => f.line(`${total} = ${total} + ${x};`));
      return total;
    }
    const top = f.variable(typeOf(width), f.number(Number.NEGATIVE_INFINITY, width));
    this.#each(env, out, width, x => f.line(`${top} = maximum${width}(${top}, ${x});`));
    if (op === "max") return top;
    const total = f.variable(typeOf(width), f.number(0, width));
    this.#each(env, out, width, x => f.line(`${total} = ${total} + expdiff${width}(${x}, ${top});`));
    // An infinite or undefined maximum is the result.
    const finite = `less${width}(abs${width}(${top}), ${f.number(Number.POSITIVE_INFINITY, width)})`;
    return `where${width}(${finite}, ${top} + log${width}(${total}), ${top})`;
  }

  /** What a running sum goes on from. */
  #start(env: Env, out: readonly string[], width: Width): string {
    if (!this.#accumulate || this.#cell === null) return this.#emitter.number(0, width);
    return runningSum(this.#emitter, this.#cells, this.#cell, this.#node.id, env, out, width);
  }

  #each(env: Env, out: readonly string[], width: Width, make: (x: string) => void): void {
    const { attrs, inputs } = this.#node;
    const type = this.#cells.node(inputs[0]!).type;
    const kept = type.shape.flatMap((_, d) => (attrs.dims.includes(d) ? [] : [d]));
    const reducing = {
      axes: attrs.axes,
      batch: attrs.batch,
      sizes: attrs.dims.map(d => type.shape[d]!),
      operands: [type],
    };
    reduceOver(this.#emitter, env, reducing, (inner, indices) => {
      const features = type.shape.map((_, d) => {
        const reduced = attrs.dims.indexOf(d);
        if (reduced >= 0) return indices[reduced]!;
        return out[attrs.keep ? d : kept.indexOf(d)]!;
      });
      make(this.#emitter.load(this.#operand, inner, features, width));
    });
  }
}

/** A reduction to a number, as a part of another program. */
export function reducedNumber(emitter: Emitter, cells: Cells, node: ReductionNode, env: Env): string {
  const out = node.type.shape.map(() => "0");
  return new Reduction(emitter, cells, null, node, false).value(env, out, 1);
}

/** The value that a running sum has so far; zero at first. */
export function runningSum(
  emitter: Emitter,
  cells: Cells,
  cell: Cell,
  id: NodeOf<"sum">["id"],
  env: Env,
  features: readonly string[],
  width: Width,
): string {
  const before = emitter.load(cells.of(id), env, features, width);
  const begun = emitter.integer({ kind: "begun", cell });
  return emitter.let(typeOf(width), `select${width}(${emitter.number(0, width)}, ${before}, ${begun} != 0)`);
}

/** The position of the first largest number along a dimension. */
export function writeArgmax(emitter: Emitter, cells: Cells, cell: Cell, node: NodeOf<"argmax">): void {
  const operand = cells.of(node.inputs[0]!);
  const { shape } = cells.node(node.inputs[0]!).type;
  const { dim } = node.attrs;
  writeElements(emitter, cell, node.type.shape, (env, out) => {
    const at = (i: string) => [...out.slice(0, dim), i, ...out.slice(dim)];
    const best = emitter.variable("f32", "0.0");
    const top = emitter.variable("f32", emitter.load(operand, env, at("0"), 1));
    emitter.loop("1", `${shape[dim]}`, i => {
      const x = emitter.load(operand, env, at(i), 1);
      emitter.if(`${x} > ${top}`, () => {
        emitter.line(`${top} = ${x};`);
        emitter.line(`${best} = f32(${i});`);
      });
    });
    return best;
  });
}
