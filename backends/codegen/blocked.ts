// Which parameters are kept in the form in which products read them, blocks of columns (pack.ts), so that they are
// never packed. What goes with them follows: gradients are written in that form, and the optimiser's moments have it,
// since elementwise code and sums over all elements do not care for the order of the elements.
//
// It is all or nothing for what is tied together so: where anything reads or makes an element by its row and column, as
// a slice of the matrix does, all stay row-major.

import type { Node, NodeId, NodeOf } from "../../compiler/graph/graph.ts";
import { constantFill } from "../plan/fusion.ts";
import { product } from "../plan/layout.ts";
import type { Item } from "../plan/plan.ts";
import type { Target } from "./code.ts";
import { asGradient, asProduct, type RowsTimesMatrix } from "./contract.ts";
import type { Generator } from "./generate.ts";
import { blockColumns, type Tile } from "./tile.ts";

/** Whether a product reads its matrix as it is, not transposed. */
export const isStraight = ({ n, kStride, nStride }: RowsTimesMatrix): boolean =>
  kStride === 4 * n && nStride === 4;

/** The parameters, states and values between them that are kept in blocks. */
export function blockedValues(
  generator: Generator,
  isElementwise: (node: Node) => boolean,
): ReadonlySet<NodeId> {
  const ties = new Ties(generator, isElementwise);
  const blocked = new Set<NodeId>();
  for (const node of generator.program.schedule.graph.nodes.values()) {
    if (node.op !== "parameter" || blocked.has(node.id)) continue;
    const { axes, shape } = node.type;
    if (axes.length > 0 || shape.length !== 2 || shape[1]! % generator.target.lanes !== 0) continue;
    for (const id of ties.from(node)) blocked.add(id);
  }
  return blocked;
}

/** In the order of the matrix's elements, row by row, where each stands (in numbers). */
export function blockedOffsets([k, n]: readonly [number, number], target: Target, tile: Tile): Int32Array {
  const columns = blockColumns(target, tile);
  return Int32Array.from({ length: k * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n];
    const inBlock = column % columns;
    const block = column - inBlock;
    return block * k + row * Math.min(columns, n - block) + inBlock;
  });
}

/** What a value's order of elements is tied to. */
class Ties {
  readonly #generator: Generator;
  readonly #isElementwise: (node: Node) => boolean;
  readonly #users = new Map<NodeId, Node[]>();
  /** Contractions added up step by step. */
  readonly #accumulated = new Set<NodeId>();
  /** Those that no loop is around. */
  readonly #outside = new Set<NodeId>();
  readonly #variables = new Map<string, NodeId[]>();

  constructor(generator: Generator, isElementwise: (node: Node) => boolean) {
    this.#generator = generator;
    this.#isElementwise = isElementwise;
    for (const node of generator.program.schedule.graph.nodes.values()) {
      for (const input of new Set(node.inputs)) listOf(this.#users, input).push(node);
      if (node.op === "parameter" || node.op === "state") {
        listOf(this.#variables, node.attrs.name).push(node.id);
      }
    }
    this.#walk(generator.plan.items, true);
  }

  #walk(items: readonly Item[], outside: boolean): void {
    for (const item of items) {
      if (item.kind === "loop") this.#walk(item.body, false);
      else if (item.kind === "kernel") {
        if (item.accumulate) this.#accumulated.add(item.node);
        if (outside) this.#outside.add(item.node);
      }
    }
  }

  /** All that goes with a parameter, or nothing where some of it needs rows, or no product reads it as it is. */
  from(parameter: Node): readonly NodeId[] {
    const { shape } = parameter.type;
    const found = new Set<NodeId>([parameter.id]);
    let isWorth = false;
    for (const id of found) {
      const node = this.#generator.node(id);
      const tied = this.#tiedTo(node);
      if (tied === null) return [];
      for (const user of this.#users.get(id) ?? []) {
        const use = this.#useOf(user, id);
        if (use === "rows") return [];
        if (use === "straight") isWorth = true;
        if (use === "element") tied.push(user.id);
      }
      for (const other of tied) {
        if (this.#generator.node(other).type.shape.join() !== shape.join()) return [];
        found.add(other);
      }
    }
    return isWorth ? [...found] : [];
  }

  /** What has to lie as a value does because of how it is made and kept; null where it is made by rows. */
  #tiedTo(node: Node): NodeId[] | null {
    const { plan, program } = this.#generator;
    const { batched, axes } = node.type;
    if (batched || axes.length > 0 || plan.parts.has(node.id) || plan.viewed.has(node.id)) return null;
    const kept = this.#kept(node);
    if (kept === null) return null;
    if (node.op === "parameter" || node.op === "state") {
      const { name } = node.attrs;
      const updates = program.updates.filter(({ target }) => target === name);
      const made = updates.map(({ output }) => program.schedule.graph.outputs.get(output)!);
      return [...kept, ...this.#variables.get(name)!, ...made];
    }
    if (node.op === "contract") return this.#isGradient(node) ? kept : null;
    if (!this.#isElementwise(node)) return null;
    const matrices = node.inputs.filter(input => !this.#isNumber(input));
    return [...kept, ...matrices];
  }

  /** The variables that a value becomes; null where it is a result. */
  #kept({ id }: Node): NodeId[] | null {
    const { results, updates, schedule } = this.#generator.program;
    const { outputs } = schedule.graph;
    if (results.some(name => outputs.get(name) === id)) return null;
    const names = updates.flatMap(({ target, output }) => (outputs.get(output) === id ? [target] : []));
    if (names.some(name => !this.#variables.has(name))) return null;
    return names.flatMap(name => this.#variables.get(name)!);
  }

  /** The same number for all elements. */
  #isNumber(id: NodeId): boolean {
    const { graph } = this.#generator.program.schedule;
    return constantFill(graph, id) !== null || product(this.#generator.node(id).type.shape) === 1;
  }

  /** How a node reads one: element by element, as a product does, as a whole, or by rows. */
  #useOf(user: Node, id: NodeId): "element" | "straight" | "transposed" | "whole" | "rows" {
    if (this.#isElementwise(user)) return "element";
    if (user.op === "sum") return user.attrs.dims.length === 2 ? "whole" : "rows";
    if (user.op !== "contract" || this.#accumulated.has(user.id)) return "rows";
    const { left, right, out, axes, batch } = user.attrs;
    if (out.length === 0 && axes.length === 0 && !batch && user.inputs.every(input => input === id)) {
      return left.join() === right.join() && left[0] !== left[1] ? "whole" : "rows";
    }
    const spec = this.#productOf(user);
    if (spec === null || user.inputs[1 - spec.rows] !== id || user.inputs[spec.rows] === id) return "rows";
    const [k, n] = this.#generator.node(id).type.shape;
    if (isStraight(spec) && spec.k === k && spec.n === n) return "straight";
    const isTransposed = spec.kStride === 4 && spec.nStride === 4 * spec.k && spec.k === n && spec.n === k;
    return isTransposed ? "transposed" : "rows";
  }

  #productOf(node: NodeOf<"contract">): RowsTimesMatrix | null {
    const { target, lengthOf } = this.#generator;
    return asProduct(node, this.#generator.contractOperands(node), [], target.lanes, lengthOf);
  }

  #isGradient(node: NodeOf<"contract">): boolean {
    if (this.#accumulated.has(node.id) || !this.#outside.has(node.id)) return false;
    const operands = this.#generator.contractOperands(node);
    const spec = asGradient(node, operands, this.#generator.lengthOf);
    const [m, n] = node.type.shape;
    return this.#productOf(node) === null && spec !== null && spec.m === m && spec.n === n;
  }
}

function listOf<K, V>(map: Map<K, V[]>, key: K): V[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}
