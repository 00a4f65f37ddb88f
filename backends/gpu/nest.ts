// Groups of elementwise nodes as one draw. Its results stand side by side. Where the device can, all are computed at once
// at each place; else a texel belongs to one of them. Those that share much are all computed there too, and one is taken:
// the longest of the ways that a draw waits for gets no longer, and where a shader goes all ways (SwiftShader does), that
// is less work. Of others only what the texel needs is computed.

import type { Node, NodeId } from "../../compiler/graph/graph.ts";
import { type Load, sourceFinder } from "../plan/fusion.ts";
import type { FusedItem } from "../plan/plan.ts";
import { isAligned } from "./aligned.ts";
import { type Bundle, type Cells, lastOf, texelsIn } from "./cells.ts";
import { type Emitter, type Env, typeOf, type Width } from "./emit.ts";
import { expressionOf } from "./expressions.ts";
import { outerIndices } from "./features.ts";
import type { InlinedReduction } from "./inline.ts";
import { reducedNumber } from "./reduce.ts";
import { elementParameters, texelParameters } from "./rows.ts";

/** Writes `texel` for the stores of a nest, in that order. */
export function writeNest(emitter: Emitter, cells: Cells, item: FusedItem, { cell, stores }: Bundle): void {
  const nest = new Nest(emitter, cells, item);
  const each = texelsIn(lastOf(nest.shape));
  if (nest.isAligned && stores.length > 1 && emitter.may.parts) {
    emitter.parts = stores.length;
    const type = `array<vec4f, ${stores.length}>`;
    emitter.function("texels", texelParameters, type, () => {
      const { env, outer } = emitter.rowEnv("row", cell.rows);
      return `${type}(${nest.values(stores, env, outer, "column", 4).join(", ")})`;
    });
    return;
  }
  if (nest.isAligned) {
    emitter.function("texel", texelParameters, "vec4f", () => {
      const { env, outer } = emitter.rowEnv("row", cell.rows);
      if (stores.length === 1) return nest.value(stores[0]!, env, outer, "column", 4);
      if (nest.shares(stores)) {
        const part = emitter.let("i32", `column / ${each}`, "c");
        const values = nest.values(stores, env, outer, emitter.let("i32", `column % ${each}`, "c"), 4);
        return values.reduceRight((rest, value, i) => `(${part} == ${i} ? ${value} : ${rest})`);
      }
      const result = emitter.variable("vec4f", emitter.number(0, 4));
      for (const [i, id] of stores.entries()) {
        emitter.if(`column / ${each} == ${i}`, () => {
          const c = emitter.let("i32", `column % ${each}`, "c");
          emitter.line(`${result} = ${nest.value(id, env, outer, c, 4)};`);
        });
      }
      return result;
    });
    return;
  }
  for (const [i, id] of stores.entries()) {
    emitter.function(`element${i}`, elementParameters, "f32", () => {
      const { env, outer } = emitter.rowEnv("row", cell.rows);
      return nest.value(id, env, outer, "at", 1);
    });
  }
  emitter.function("texel", texelParameters, "vec4f", () => {
    const at = emitter.let("i32", `(column % ${each}) * 4`, "c");
    const lanes = (i: number): string =>
      `vec4f(${[0, 1, 2, 3].map(lane => `element${i}(row, ${at} + ${lane})`).join(", ")})`;
    if (stores.length === 1) return lanes(0);
    const result = emitter.variable("vec4f", emitter.number(0, 4));
    for (const i of stores.keys()) {
      emitter.if(`column / ${each} == ${i}`, () => emitter.line(`${result} = ${lanes(i)};`));
    }
    return result;
  });
}

class Nest {
  readonly shape: readonly number[];
  /** Whether four elements can be computed at once. */
  readonly isAligned: boolean;
  readonly #emitter: Emitter;
  readonly #cells: Cells;
  readonly #item: FusedItem;
  readonly #find: ReturnType<typeof sourceFinder>;

  constructor(emitter: Emitter, cells: Cells, item: FusedItem) {
    this.#emitter = emitter;
    this.#cells = cells;
    this.#item = item;
    this.shape = cells.node(item.nodes[0]!).type.shape;
    this.#find = sourceFinder(cells.graph, item.nodes, item.loads);
    this.isAligned = item.loads.every(load => this.#fits(load));
  }

  #fits({ node, dims }: Load): boolean {
    const last = dims.at(-1) ?? -1;
    if (last < 0 || this.#cells.inlined.has(node)) return true;
    const { shape } = this.#cells.node(node).type;
    return last === shape.length - 1 && isAligned(this.#cells.of(node));
  }

  /** Whether what stores are made of is for a good part the same. */
  shares(stores: readonly NodeId[]): boolean {
    const apart = stores.reduce((sum, store) => sum + this.#work([store]), 0);
    return apart >= 1.5 * this.#work(stores);
  }

  /** How many nodes and loads stores are made of. */
  #work(stores: readonly NodeId[]): number {
    const nodes = new Set<NodeId>();
    const loads = new Set<number>();
    const visit = (id: NodeId): void => {
      if (nodes.has(id)) return;
      nodes.add(id);
      const node = this.#cells.node(id);
      for (const k of node.inputs.keys()) {
        const source = this.#find(node, k);
        if (source.kind === "member") visit(source.node);
        else if (source.kind === "load") loads.add(source.index);
      }
    };
    stores.forEach(visit);
    return nodes.size + loads.size;
  }

  /** The value of one store at element `last` of a row, or four from texel `last` on. */
  value(store: NodeId, env: Env, outer: string, last: string, width: Width): string {
    return this.values([store], env, outer, last, width)[0]!;
  }

  /** Those of several stores; what they share is computed once. */
  values(stores: readonly NodeId[], env: Env, outer: string, last: string, width: Width): readonly string[] {
    const features = outerIndices(this.#emitter, this.shape, outer);
    if (this.shape.length > 0) features.push(width === 4 ? `(${last}) * 4` : last);
    const known = new Map<NodeId, string>();
    const loaded = new Map<number, string>();
    const compute = (id: NodeId): string => {
      const made = known.get(id);
      if (made !== undefined) return made;
      const node = this.#cells.node(id);
      const terms = node.inputs.map((_, k) => this.#term(node, k, env, features, width, compute, loaded));
      const from = node.inputs.map(input => this.#cells.node(input));
      const number = (value: number) => this.#emitter.number(value, width);
      const text = expressionOf(node, terms, from, width, number);
      const name = this.#emitter.let(typeOf(width), text, "v");
      known.set(id, name);
      return name;
    };
    return stores.map(compute);
  }

  #term(
    user: Node,
    k: number,
    env: Env,
    features: readonly string[],
    width: Width,
    compute: (id: NodeId) => string,
    loaded: Map<number, string>,
  ): string {
    const source = this.#find(user, k);
    if (source.kind === "member") return compute(source.node);
    if (source.kind === "fill") return this.#emitter.number(source.value, width);
    const known = loaded.get(source.index);
    if (known !== undefined) return known;
    const { node, dims } = this.#item.loads[source.index]!;
    const own = this.#cells.node(node).type.shape.map((_, d) => features[dims.indexOf(d)] ?? "0");
    const splat = (dims.at(-1) ?? -1) < 0;
    const isInlined = this.#cells.inlined.has(node);
    const narrow = splat || isInlined;
    const text = isInlined
      ? reducedNumber(this.#emitter, this.#cells, this.#cells.node(node) as InlinedReduction, env)
      : this.#emitter.load(this.#cells.of(node), env, own, narrow ? 1 : width);
    const name = narrow ? this.#emitter.let(typeOf(width), this.#emitter.splat(text, width), "l") : text;
    loaded.set(source.index, name);
    return name;
  }
}
