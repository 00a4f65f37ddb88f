// A context: the place in the index space that a scope stands for. Positions, lengths and masks, each made when it is
// first asked for; that the graph makes nothing twice is what keeps them few.

import type { AxisId, Node, NodeId, NodeOf, NodeType } from "../../compiler/graph/graph.ts";
import type { Context, Site } from "./context.ts";
import type { Tensor } from "./graph.ts";
import type { Dim } from "./ops.ts";
import type { Scope } from "./scope.ts";
import type { Value } from "./values.ts";

export class ScopeContext implements Context {
  readonly ops: Context["ops"];
  readonly values: Context["values"];
  readonly graph: Context["graph"];
  readonly #site: Site;
  readonly #scope: Scope;
  readonly #dynamic: ReadonlySet<AxisId>;

  constructor(site: Site, scope: Scope) {
    this.#site = site;
    this.#scope = scope;
    this.ops = site.ops;
    this.values = site.values;
    this.graph = site.graph;
    this.#dynamic = new Set(site.graph.axes.flatMap(({ id, length }) => (length === null ? [id] : [])));
  }

  typeOf(id: NodeId): NodeType {
    return this.graph.nodes.get(id)!.type;
  }

  read(id: NodeId): Value {
    return this.#site.read(id, this.#scope);
  }

  find(id: NodeId): Value | null {
    return this.#site.find(id, this.#scope);
  }

  usersOf(id: NodeId): readonly (Node | null)[] {
    return this.#site.usersOf(id);
  }

  isBound(axis: AxisId): boolean {
    return this.#scope.over(axis) !== null;
  }

  position(axis: AxisId): Value {
    const here = this.#scope.over(axis)?.loop;
    if (here !== undefined && here !== null) return this.values.scalar(here.turning.position);
    return { tensor: this.ops.range(this.extent(axis)), axes: [axis], batched: false, shape: [] };
  }

  extent(axis: AxisId): Dim {
    return this.values.sizes.extent(axis);
  }

  length(axis: AxisId): Value {
    if (!this.isRagged(axis)) return this.values.scalar(this.ops.scalar(this.extent(axis)));
    return { tensor: this.#site.fed.length(axis), axes: [], batched: true, shape: [] };
  }

  isRagged(axis: AxisId): boolean {
    return this.#site.ragged && this.#dynamic.has(axis);
  }

  mask(axes: readonly AxisId[]): Value | null {
    const masks = axes
      .filter(axis => this.isRagged(axis))
      .map(axis =>
        this.values.pointwise([this.position(axis), this.length(axis)], ([i, n]) =>
          this.ops.compare("Less", i!, n!),
        ),
      );
    if (masks.length === 0) return null;
    return masks.reduce((a, b) =>
      this.values.pointwise([a, b], ([p, q]) => this.ops.logical("LogicalAnd", p!, q!)),
    );
  }

  variable(name: string): Tensor {
    return this.#site.fed.variable(name);
  }

  input(name: string): Tensor {
    return this.#site.fed.input(name);
  }

  draws(node: NodeOf<"random">): Tensor {
    return this.#site.fed.draws(node);
  }
}
