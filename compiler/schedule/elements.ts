// Which features see which: for ops that work feature by feature or only move numbers about, the element of an operand
// that each element of the result comes from; and what hangs together when values feed each other.

import type { Node, NodeId } from "../graph/graph.ts";

/** For each element of a value, row-major, the element that it sees, -1 for none; null where it is the same one. */
export type Elements = Int32Array | null;

const sizeOf = (shape: readonly number[]): number => shape.reduce((total, size) => total * size, 1);

/** What is seen through one and then through another. */
export function composed(outer: Elements, inner: Elements): Elements {
  if (outer === null || inner === null) return outer ?? inner;
  return outer.map(element => (element < 0 ? -1 : inner[element]!));
}

export const sameElements = (a: Elements, b: Elements): boolean =>
  a === b || (a !== null && b !== null && a.length === b.length && a.every((element, i) => element === b[i]));

/** The element of operand k, of shape `from`, that each element of a node sees. The node mixes no features. */
export function elementsOf(node: Node, k: number, from: readonly number[], start: number): Elements {
  const { shape } = node.type;
  switch (node.op) {
    case "reshape":
      return null;
    case "transpose": {
      const own = denseStrides(from);
      return walk(
        shape,
        node.attrs.perm.map(d => own[d]!),
      );
    }
    case "slice": {
      const own = denseStrides(from);
      return walk(shape, own, node.attrs.start * own[node.attrs.dim]!);
    }
    case "pad":
      return part(shape, from, node.attrs.dim, node.attrs.before);
    case "concat":
      return node.inputs.length === 1 ? null : part(shape, from, node.attrs.dim, start);
    case "contract": {
      const labels = k === 0 ? node.attrs.left : node.attrs.right;
      const own = denseStrides(from);
      return walk(
        shape,
        node.attrs.out.map(label => own[labels.indexOf(label)] ?? 0),
      );
    }
    default: {
      if (from.join() === shape.join()) return null;
      const own = denseStrides(from);
      const missing = shape.length - from.length;
      return walk(
        shape,
        shape.map((size, d) => (from[d - missing] === size ? own[d - missing]! : 0)),
      );
    }
  }
}

function denseStrides(shape: readonly number[]): readonly number[] {
  return shape.map((_, d) => sizeOf(shape.slice(d + 1)));
}

function walk(shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  const own = denseStrides(shape);
  return Int32Array.from({ length: sizeOf(shape) }, (_, i) =>
    shape.reduce((at, size, d) => at + (Math.floor(i / own[d]!) % size) * strides[d]!, start),
  );
}

/** An operand of shape `from` that stands in the result from `start` on along `dim`. */
function part(shape: readonly number[], from: readonly number[], dim: number, start: number): Int32Array {
  const elements = new Int32Array(sizeOf(shape)).fill(-1);
  const places = walk(from, denseStrides(shape), start * denseStrides(shape)[dim]!);
  for (const [i, place] of places.entries()) elements[place] = i;
  return elements;
}

/** Elements of values, joined where they feed each other. */
export class Coupling {
  readonly #starts = new Map<NodeId, number>();
  readonly #sizes = new Map<NodeId, number>();
  readonly #parents: number[] = [];
  readonly #weights: number[] = [];

  /** Each element counts `weight`: the steps of it that are remembered. */
  add(value: NodeId, shape: readonly number[], weight: number): void {
    const size = sizeOf(shape);
    const known = this.#starts.get(value);
    const start = known ?? this.#parents.length;
    if (known === undefined) {
      this.#starts.set(value, start);
      this.#sizes.set(value, size);
      for (let i = 0; i < size; i++) this.#weights[this.#parents.push(start + i) - 1] = weight;
    }
    for (let i = start; i < start + size; i++) this.#weights[i] = Math.max(this.#weights[i]!, weight);
  }

  /** Each of `value`'s elements sees one of `source`'s. */
  join(value: NodeId, source: NodeId, elements: Elements): void {
    const size = this.#sizes.get(value)!;
    const [a, b] = [this.#starts.get(value)!, this.#starts.get(source)!];
    for (let i = 0; i < size; i++) {
      const seen = elements === null ? i : elements[i]!;
      if (seen >= 0) this.#parents[this.#root(a + i)] = this.#root(b + seen);
    }
  }

  #root(element: number): number {
    let at = element;
    while (this.#parents[at] !== at) {
      this.#parents[at] = this.#parents[this.#parents[at]!]!;
      at = this.#parents[at]!;
    }
    return at;
  }

  /** The weight of the largest group. */
  largest(): number {
    const totals = new Map<number, number>();
    for (const [element, weight] of this.#weights.entries()) {
      const root = this.#root(element);
      totals.set(root, (totals.get(root) ?? 0) + weight);
    }
    return [...totals.values()].reduce((most, total) => Math.max(most, total), 0);
  }
}
