// What is fed into the graph: a placeholder for each thing that a program's nodes ask for, under a name of its own. The
// program's own names may hold any character, TensorFlow's may not, so everything goes by number.

import type { AxisId, DType, NodeOf, NodeType } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Tensor } from "./graph.ts";
import type { Ops } from "./ops.ts";

export const feedNames = {
  batch: "batch",
  extent: (axis: number): string => `extent${axis}`,
  length: (axis: number): string => `length${axis}`,
  input: (input: number): string => `input${input}`,
  variable: (variable: number): string => `variable${variable}`,
  draws: (draws: number): string => `draws${draws}`,
} as const;

export class Fed {
  readonly #ops: Ops;
  readonly #program: Program;
  readonly #variables: readonly string[];
  readonly #tensors = new Map<string, Tensor>();
  readonly #draws: NodeOf<"random">[] = [];

  /** @param variables names of parameters and states, in the order in which they are numbered. */
  constructor(ops: Ops, program: Program, variables: readonly string[]) {
    this.#ops = ops;
    this.#program = program;
    this.#variables = variables;
  }

  /** Names of all placeholders that were asked for. */
  get names(): ReadonlySet<string> {
    return new Set(this.#tensors.keys());
  }

  /** What the host is to draw, by number. */
  get draw(): readonly NodeOf<"random">[] {
    return this.#draws;
  }

  variable(name: string): Tensor {
    const node = this.#find(name, ["parameter", "state"]);
    return this.#tensor(feedNames.variable(this.#variables.indexOf(name)), node);
  }

  input(name: string): Tensor {
    const number = this.#program.inputs.findIndex(input => input.name === name);
    return this.#tensor(feedNames.input(number), this.#find(name, ["input"]));
  }

  draws(node: NodeOf<"random">): Tensor {
    return this.#tensor(feedNames.draws(this.#draws.push(node) - 1), node.type);
  }

  length(axis: AxisId): Tensor {
    const number = this.#program.schedule.graph.axes.findIndex(({ id }) => id === axis);
    return this.#tensor(feedNames.length(number), { dtype: "index", shape: [], axes: [], batched: true });
  }

  #find(name: string, ops: readonly string[]): NodeType {
    for (const { op, attrs, type } of this.#program.schedule.graph.nodes.values()) {
      if (ops.includes(op) && "name" in attrs && attrs.name === name) return type;
    }
    throw new InternalError("Fed", `nothing is called ${name}`);
  }

  #tensor(feed: string, { dtype, batched, axes, shape }: { dtype: DType } & Omit<NodeType, "dtype">): Tensor {
    const known = this.#tensors.get(feed);
    if (known !== undefined) return known;
    const lengths = axes.map(
      axis => this.#program.schedule.graph.axes.find(({ id }) => id === axis)?.length ?? null,
    );
    const tensor = this.#ops.placeholder(feed, dtype, [...(batched ? [null] : []), ...lengths, ...shape]);
    this.#tensors.set(feed, tensor);
    return tensor;
  }
}
