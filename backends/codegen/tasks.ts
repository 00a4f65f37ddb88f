// The main function and what it runs: kernels, called at every position of the axes that a value has, for the rows that
// have a step there.

import type { AxisId, NodeId } from "../../compiler/graph/graph.ts";
import {
  add,
  binary,
  compare,
  type FunctionBuilder,
  least,
  load,
  most,
  mul,
  type Operand,
} from "./builder.ts";
import type { Expr, Func, Local, Target } from "./code.ts";
import { cutsOf, isContiguous, Kernel, type Surroundings } from "./kernel.ts";
import type { Memory } from "./places.ts";
import type { Mark } from "./profile.ts";
import type { Tile } from "./tile.ts";

/** Where in the main function code is added: the loops around, and which rows are at hand. */
export interface Scope {
  readonly f: FunctionBuilder;
  /** Positions along the axes of the loops around, outermost first. */
  readonly bound: ReadonlyMap<AxisId, Local>;
  readonly from: Local;
  readonly to: Local;
  /** The thread that runs this and how many there are; null where there is one. */
  readonly team: { readonly thread: Local; readonly threads: Local } | null;
}

export interface Task {
  readonly name: string;
  /** Whose time it takes, in profiles: what it computes, or reads if it packs a matrix. */
  readonly nodes: readonly NodeId[];
  readonly packs?: boolean;
  /** Axes that no loop around binds. */
  readonly free: readonly AxisId[];
  /**
   * `each`: the kernel computes a row for each example it is called for. `all`: it is called once a position and
   * reduces the examples. `one`: once a position, with rows 0 to 1. `parts`: with vectors `from` to `to` of its only
   * row, of `vectors` in all.
   */
  readonly rows: "each" | "all" | "one" | "parts";
  readonly vectors?: number;
  /** For `all`: each thread has its own result, so many bytes apart. */
  readonly ownBytes?: number;
  /** What it reads and writes row by row. */
  readonly memories: readonly Memory[];
  /** Whether rows at all positions may be computed as if they were one large batch. */
  readonly flat: boolean;
  readonly make: (kernel: Kernel) => void;
}

export class Tasks {
  readonly functions: Func[] = [];
  readonly around: Surroundings;
  readonly target: Target;
  readonly tile: Tile;
  /** By the ids of marks; null where nothing is marked. */
  readonly marks: Mark[] | null;

  constructor(around: Surroundings, target: Target, tile: Tile, profile: boolean) {
    this.around = around;
    this.target = target;
    this.tile = tile;
    this.marks = profile ? [] : null;
  }

  /** In a profile, the time from here to the next mark is that of these nodes. */
  mark({ f }: Scope, nodes: readonly NodeId[], packs = false): void {
    if (this.marks === null) return;
    f.add({ kind: "mark", id: this.marks.length });
    this.marks.push({ nodes, packs });
  }

  /** Makes the task's kernel and calls it. */
  run(scope: Scope, task: Task): void {
    const axes = [...scope.bound.keys(), ...task.free];
    const kernel = new Kernel(task.name, axes, this.around);
    if (task.rows === "all") kernel.ownSum = kernel.f.param();
    const own = scope.team === null ? 0 : mul(scope.team.thread, task.ownBytes ?? 0);
    task.make(kernel);
    const callee = kernel.finish();
    this.functions.push(callee);
    this.mark(scope, task.nodes, task.packs);
    const { f } = scope;
    const bound = [...scope.bound.values()];
    const positions = (at: ReadonlyMap<AxisId, Operand>): readonly Operand[] => [
      ...bound,
      ...task.free.map(axis => at.get(axis)!),
    ];
    if (task.rows === "parts") {
      const { from, to } = this.partOf(scope, task.vectors ?? 0);
      f.call(callee, [...bound, from, to]);
      return;
    }
    if (task.rows !== "each") {
      this.positions(scope, task.free, (at, to) =>
        f.call(callee, [...positions(at), ...(task.rows === "one" ? [0, 1] : [scope.from, to, own])]),
      );
      return;
    }
    const stepwise = (): void =>
      this.positions(scope, task.free, (at, to) => {
        this.split(f, task.memories, { ...scope, to }, this.#primaryPosition(scope, at), (from, end) =>
          f.call(callee, [...positions(at), from, end]),
        );
      });
    if (!this.#isFlat(task)) {
      stepwise();
      return;
    }
    f.if(
      this.around.frame.full,
      () => {
        const rows = task.free
          .map(axis => this.extent(axis))
          .reduce<Operand>((all, n) => mul(all, n), this.around.frame.batch);
        f.call(callee, [...bound, ...task.free.map(() => 0), 0, rows]);
      },
      stepwise,
    );
  }

  /** A thread's part of `count` things. */
  partOf({ f, team }: Scope, count: number): { readonly from: Operand; readonly to: Operand } {
    if (team === null) return { from: 0, to: count };
    const border = (thread: Operand): Local => f.let(binary("divU", mul(thread, count), team.threads));
    return { from: border(team.thread), to: border(add(team.thread, 1)) };
  }

  extent(axis: AxisId): Operand {
    return this.around.staticLength(axis) ?? this.around.frame.extent(axis);
  }

  #isFlat({ flat, free, memories }: Task): boolean {
    return flat && free.length > 0 && memories.every(memory => isContiguous(memory, free));
  }

  #primaryPosition({ bound }: Scope, at: ReadonlyMap<AxisId, Operand>): Operand | null {
    const { primary } = this.around;
    return primary === null ? null : (at.get(primary) ?? bound.get(primary) ?? null);
  }

  /** Loops over all positions of `axes`; `to` is how many rows have a step there. */
  positions(
    scope: Scope,
    axes: readonly AxisId[],
    make: (at: ReadonlyMap<AxisId, Local>, to: Local) => void,
  ): void {
    const { f } = scope;
    const at = new Map<AxisId, Local>();
    const enter = (d: number, to: Local): void => {
      const axis = axes[d];
      if (axis === undefined) {
        make(at, to);
        return;
      }
      f.for(0, this.extent(axis), 1, index => {
        at.set(axis, index);
        enter(d + 1, axis === this.around.primary ? this.rowsAt(f, index, to) : to);
      });
    };
    enter(0, scope.to);
  }

  /** How many of the first `to` rows have a step at a position of the primary axis. */
  rowsAt(f: FunctionBuilder, position: Operand, to: Operand): Local {
    return f.let(least(f.let(this.#active(position)), to));
  }

  #active(position: Operand): Expr {
    return load("i32", add(this.around.frame.active, mul(position, 4)));
  }

  /** Calls `make` for the rows that agree in what they read (cutsOf). */
  split(
    f: FunctionBuilder,
    memories: readonly Memory[],
    { from, to }: { readonly from: Local; readonly to: Local },
    position: Operand | null,
    make: (from: Local, to: Local) => void,
  ): void {
    const cuts = position === null ? [] : cutsOf(memories, this.around.primary);
    let start = from;
    for (const ahead of cuts) {
      const rows = this.rowsAt(f, add(position!, ahead), to);
      const end = f.let(most(rows, start));
      const begin = start;
      f.if(compare("lt", begin, end), () => make(begin, end));
      start = end;
    }
    if (cuts.length === 0) make(start, to);
    else f.if(compare("lt", start, to), () => make(start, to));
  }
}
