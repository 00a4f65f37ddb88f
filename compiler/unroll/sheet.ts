// The static graph under construction: which of its nodes stands for which node of the recurrence graph at which
// indices of the loops around it. A value is found by binding some of its axes to indices; what is not there yet is
// made from what is: one index of a vector value by `at`, a whole sequence from stamps by `stack`.

import type { AxisId, Graph, Node, NodeId, NodeOf, NodeType, OpAttrs, OpName } from "../graph/graph.ts";
import type { Schedule, Step } from "../schedule/schedule.ts";
import { InternalError } from "../unreachable.ts";

/** A node of the recurrence graph and its stand-ins. */
interface Track {
  readonly node: Node;
  /** The axes of the loops that stamp it; others of its axes are whole in every stamp. */
  readonly home: readonly AxisId[];
  /** Stand-ins by `keyOf` the indices to which its axes are bound. */
  readonly standIns: Map<number, NodeId>;
}

const nowhere = { span: null, label: "" } as const;

export class Sheet {
  readonly graph: Graph;
  readonly #extents: ReadonlyMap<AxisId, number>;
  readonly #tracks = new Map<NodeId, Track>();
  readonly #nodes: Node[] = [];
  readonly #outputs = new Map<string, NodeId>();
  readonly #bound = new Map<AxisId, number>();
  readonly #shared = new Map<string, NodeId>();

  constructor({ graph, steps }: Schedule, extents: ReadonlyMap<AxisId, number>) {
    this.graph = graph;
    this.#extents = new Map(
      graph.axes.map(({ id, length }) => {
        const extent = length ?? extents.get(id);
        if (extent === undefined) throw new InternalError("unroll", `no extent is given for the axis ${id}`);
        return [id, extent] as const;
      }),
    );
    this.#place(steps, []);
  }

  #place(steps: readonly Step[], home: readonly AxisId[]): void {
    for (const step of steps) {
      if (step.kind === "loop") this.#place(step.body, [...home, step.axis]);
      else if (step.offset === 0) {
        const node = this.graph.nodes.get(step.node)!;
        // A sum over the innermost loop's axis is one value after the loop; random numbers depend on where their node
        // has its axes, so it keeps them.
        const own = node.op === "random" ? [] : step.kind === "accumulate" ? home.slice(0, -1) : home;
        this.#tracks.set(node.id, { node, home: own, standIns: new Map() });
      }
    }
  }

  extent(axis: AxisId): number {
    return this.#extents.get(axis)!;
  }

  /** The index to which a loop binds the axis at the moment. */
  bound(axis: AxisId): number | undefined {
    return this.#bound.get(axis);
  }

  /** Runs with the axis bound to an index, or whole (undefined). */
  within<T>(axis: AxisId, index: number | undefined, run: () => T): T {
    const before = this.#bound.get(axis);
    this.#bind(axis, index);
    const result = run();
    this.#bind(axis, before);
    return result;
  }

  #bind(axis: AxisId, index: number | undefined): void {
    if (index === undefined) this.#bound.delete(axis);
    else this.#bound.set(axis, index);
  }

  track(id: NodeId): Track {
    const track = this.#tracks.get(id);
    if (track === undefined) throw new InternalError("unroll", `%${id} is not scheduled`);
    return track;
  }

  /** Says what stands for the node at the indices bound now. */
  put(track: Track, standIn: NodeId): void {
    track.standIns.set(this.#keyOf(track.node), standIn);
  }

  /** What stands for the node at the indices bound now. */
  value(id: NodeId): NodeId {
    const track = this.track(id);
    const key = this.#keyOf(track.node);
    const known = track.standIns.get(key);
    if (known !== undefined) return known;
    const made = this.#derive(track);
    track.standIns.set(key, made);
    return made;
  }

  /** Mixed radix over the node's axes: 0 where the axis is whole, otherwise 1 + the index. */
  #keyOf({ type: { axes } }: Node): number {
    let key = 0;
    for (const axis of axes) key = key * (this.#extents.get(axis)! + 1) + (this.#bound.get(axis) ?? -1) + 1;
    return key;
  }

  #derive(track: Track): NodeId {
    const { node, home } = track;
    const open = home.find(axis => !this.#bound.has(axis));
    if (open !== undefined) return this.#stack(node, open);
    const taken = node.type.axes.find(axis => this.#bound.has(axis) && !home.includes(axis));
    if (taken === undefined) throw new InternalError("unroll", `%${node.id} is read before it is computed`);
    const index = this.#bound.get(taken)!;
    if (node.op === "index") return this.indexConstant(index);
    const whole = this.within(taken, undefined, () => this.value(node.id));
    const attrs = { axis: taken, from: "first", offset: index } as const;
    return this.add("at", [whole], attrs, this.boundType(node.type), node);
  }

  #stack(node: Node, axis: AxisId): NodeId {
    const parts: NodeId[] = [];
    for (let i = 0; i < this.extent(axis); i++) parts.push(this.within(axis, i, () => this.value(node.id)));
    const type = this.boundType(node.type);
    if (parts.length > 0) return this.add("stack", parts, { axis }, type, node);
    const { dtype, shape, axes, batched } = type;
    const plain: NodeType = { dtype, shape, axes: [], batched: false };
    const zero = this.add("constant", [], { dtype, shape, values: [0] }, plain, node);
    return this.add("broadcast", [zero], { shape, axes, batched }, type, node);
  }

  /** The type at the indices bound now: the bound axes are gone. */
  boundType(type: NodeType): NodeType {
    if (!type.axes.some(axis => this.#bound.has(axis))) return type;
    return { ...type, axes: type.axes.filter(axis => !this.#bound.has(axis)) };
  }

  add<O extends OpName>(
    op: O,
    inputs: readonly NodeId[],
    attrs: OpAttrs[O],
    type: NodeType,
    { span, label }: Pick<Node, "span" | "label">,
  ): NodeId {
    const id = this.#nodes.length as NodeId;
    const node: NodeOf<O> = { id, op, inputs, attrs, type, span, label };
    this.#nodes.push(node as Node);
    return id;
  }

  /** The same node again with other operands, attributes and type. */
  stamp(node: Node, inputs: readonly NodeId[], attrs: Node["attrs"], type: NodeType): NodeId {
    const id = this.#nodes.length as NodeId;
    this.#nodes.push({ ...node, id, inputs, attrs, type } as Node);
    return id;
  }

  /** The stand-in with exactly this type: broadcast where it has fewer axes or is shared by all examples. */
  as(id: NodeId, type: NodeType): NodeId {
    const { axes, batched } = this.#nodes[id]!.type;
    if (batched === type.batched && axes.length === type.axes.length) return id;
    return this.#once(`as ${id} ${type.axes.join()} ${type.batched}`, () =>
      this.add(
        "broadcast",
        [id],
        { shape: type.shape, axes: type.axes, batched: type.batched },
        type,
        this.#nodes[id]!,
      ),
    );
  }

  indexConstant(value: number): NodeId {
    const type: NodeType = { dtype: "index", shape: [], axes: [], batched: false };
    return this.#once(`index ${value}`, () =>
      this.add("constant", [], { dtype: "index", shape: [], values: [value] }, type, nowhere),
    );
  }

  /** Whether an index lies within each example's own length. */
  isInside(axis: AxisId, index: number): NodeId {
    const type: NodeType = { dtype: "index", shape: [], axes: [], batched: true };
    return this.#once(`inside ${index} ${axis}`, () => {
      const length = this.#once(`length ${axis}`, () => this.add("length", [], { axis }, type, nowhere));
      return this.add("less", [this.indexConstant(index), length], {}, { ...type, dtype: "bool" }, nowhere);
    });
  }

  #once(key: string, make: () => NodeId): NodeId {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#shared.set(key, made);
    return made;
  }

  output(name: string, id: NodeId): void {
    this.#outputs.set(name, this.value(id));
  }

  /** The graph of what the outputs reach: a last step's state, for one, has no reader. */
  finish(): Graph {
    const live = new Uint8Array(this.#nodes.length);
    for (const id of this.#outputs.values()) live[id] = 1;
    // Operands come first, so one sweep from the end meets every reader before what it reads.
    for (let id = live.length - 1; id >= 0; id--) {
      if (live[id] === 1) for (const input of this.#nodes[id]!.inputs) live[input] = 1;
    }
    const nodes = new Map<NodeId, Node>();
    for (const node of this.#nodes) if (live[node.id] === 1) nodes.set(node.id, node);
    return { axes: this.graph.axes, nodes, outputs: this.#outputs };
  }
}
