// Loops as scans (scan.ts): one function for all steps. Each row goes through time with some vectors at once, or a few
// rows do where rows are short: as many vectors as hide how long operations wait for each other. Time is cut into
// parts, so that rows, which are neighbours in memory, are read soon one after the other.
//
// It saves a call for each nest and step, and what is carried or summed up stays in registers. But it reads memory in
// small pieces. Where a step is wide and most of its work is to read and write whole sequences, going through them
// step by step is faster; so the code has both ways, and the batch decides.

import type { NodeId, OpName } from "../../compiler/graph/graph.ts";
import { product } from "../plan/layout.ts";
import type { LoopItem } from "../plan/plan.ts";
import {
  add,
  binary,
  compare,
  type FunctionBuilder,
  least,
  mul,
  type Operand,
  select,
  sub,
} from "./builder.ts";
import type { Local } from "./code.ts";
import type { Generator } from "./generate.ts";
import type { Kernel, Rows } from "./kernel.ts";
import { type Scan, scanOf } from "./scan.ts";
import { type Block, type Row, ScanBlock } from "./scan-block.ts";
import type { Scope } from "./tasks.ts";
import { type Span, Tracks } from "./tracks.ts";

/** Steps of a part. */
const partSteps = 32;
/** Rows side by side. */
const rowsAtOnce = [4, 2] as const;
/** The vectors of a step up to which a scan is always the faster way. */
const narrow = 16;

/** Runs a loop as a scan where that is possible and faster, else by `stepByStep`. */
export function runScan(generator: Generator, scope: Scope, item: LoopItem, stepByStep: () => void): void {
  const { program, plan, places, tasks, target } = generator;
  const { graph, keeping } = program.schedule;
  const bound = [...scope.bound.keys()];
  const scan = scanOf({ graph, plan, places, keeping, primary: tasks.around.primary, bound }, item);
  if (scan === null) {
    stepByStep();
    return;
  }
  const run = (): void => emitTask(generator, scope, scan);
  if (savesMuch(scan, item)) {
    run();
    return;
  }
  const rows = scan.batched ? sub(scope.to, scope.from) : 1;
  const vectors = mul(rows, Math.ceil(product(scan.sizes) / target.lanes));
  scope.f.if(compare("le", vectors, narrow), run, stepByStep);
}

/** Whether it touches memory so much less often that it does not matter how. */
function savesMuch(scan: Scan, { body }: LoopItem): boolean {
  const { sizes, operands, stores } = scan;
  // A running sum reads its terms again and goes over its result.
  const stepwise = body.reduce(
    (sum, item) => sum + (item.kind === "fused" ? item.loads.length + item.stores.length : 3),
    0,
  );
  const moving = operands.filter(
    ({ reference: { memory } }) => memory.kind === "delay" || memory.along.size > 0,
  );
  const least = isLong(scan) ? muchLess.beside : muchLess.alone;
  return sizes.length > 0 && stepwise > least * (moving.length + stores.length);
}

/**
 * By how many times a scan must touch memory less often for it not to matter that it does so in small pieces; fewer
 * where long arithmetic goes on beside it. Measured on one core of a Zen 5 server with 128 to 512 vectors a step: some
 * 0.5 ns for each vector that a scan reads or writes, 0.25 where memory is read in order, and 0.1 for what is still in
 * the first-level cache; 4 ns for a sigmoid.
 */
const muchLess = { alone: 3.5, beside: 2 } as const;

function emitTask(generator: Generator, scope: Scope, scan: Scan): void {
  const { target, tasks } = generator;
  const [carried] = scan.carried;
  const { label } = generator.node(carried?.value ?? scan.items[0]!.item.nodes[0]!);
  const shared = scan.sums.some(({ node }) => !generator.node(node).type.batched);
  const ownSum = (id: NodeId): number =>
    scope.team === null || generator.node(id).type.batched ? 0 : generator.ownSum(id);
  tasks.run(scope, {
    name: `scan ${scan.loop.direction} ${label}`,
    nodes: [...scan.items.flatMap(({ item }) => item.nodes), ...scan.sums.map(({ node }) => node)],
    free: [],
    rows: !scan.batched ? "one" : shared ? "all" : "each",
    // Sums have sizes of their own: what the kernel gets is the thread's number.
    ownBytes: 1,
    memories: [],
    flat: false,
    make: kernel => new ScanEmitter(kernel, scan, target.lanes, ownSum).emit(),
  });
}

const longOps: readonly OpName[] = [
  "exp", "expdiff", "log", "log1p", "pow", "sigmoid", "sin", "cos", "softplus", "tanh",
]; // biome-ignore format: a list

/** Whether operations take long, and wait for each other. */
const isLong = ({ graph, items }: Scan): boolean =>
  items.some(({ item }) => item.nodes.some(id => longOps.includes(graph.nodes.get(id)!.op)));

/** Vectors side by side: fewer where they have little to wait for, or much to keep in registers. */
function vectorsAtOnce(scan: Scan): number {
  const members = scan.items.reduce((count, { item }) => count + item.nodes.length, 0);
  if (scan.carried.length + scan.sums.length > 4) return 4;
  return isLong(scan) || members >= 5 ? 8 : 4;
}

class ScanEmitter {
  readonly #kernel: Kernel;
  readonly #f: FunctionBuilder;
  readonly #scan: Scan;
  readonly #lanes: number;
  readonly #ownSum: (id: NodeId) => number;
  readonly #tracks: Tracks;
  /** Vectors of the last dimension, and the numbers in the last of them. */
  readonly #vectors: number;
  readonly #rest: number;

  constructor(kernel: Kernel, scan: Scan, lanes: number, ownSum: (id: NodeId) => number) {
    this.#kernel = kernel;
    this.#f = kernel.f;
    this.#scan = scan;
    this.#lanes = lanes;
    this.#ownSum = ownSum;
    this.#tracks = new Tracks(kernel, scan.loop);
    const size = scan.sizes.at(-1) ?? 1;
    this.#vectors = Math.ceil(size / lanes);
    this.#rest = size - (this.#vectors - 1) * lanes;
  }

  get #forward(): boolean {
    return this.#scan.loop.direction === "forward";
  }

  /** Whether examples have lengths of their own. */
  get #isRagged(): boolean {
    const { loop, batched } = this.#scan;
    return batched && this.#kernel.around.staticLength(loop.axis) === null;
  }

  emit(): void {
    const f = this.#f;
    const extent = f.let(this.#kernel.extent(this.#scan.loop.axis));
    const last = f.let(mul(binary("divU", sub(extent, 1), partSteps), partSteps));
    f.for(0, extent, partSteps, start => this.#part(this.#forward ? start : f.let(sub(last, start)), extent));
  }

  /** All rows at the steps of a part, the first of which is `low`. */
  #part(low: Local, extent: Local): void {
    const { from, to, around } = this.#kernel;
    const f = this.#f;
    const { axis } = this.#scan.loop;
    const lengthOf = (row: Operand): Local =>
      this.#isRagged ? f.let(this.#kernel.length(axis, row)) : extent;
    const rows = (row: Local, many: number): void => {
      const length = lengthOf(row);
      const count = f.let(least(f.let(sub(length, low)), partSteps));
      f.if(compare("gt", count, 0), () => {
        const begin = this.#forward ? low : f.let(add(low, sub(count, 1)));
        this.#rows({ row, rows: many, begin, count, length });
      });
    };
    const single = this.#vectors * product(this.#scan.sizes.slice(0, -1));
    // Neighbours are equally long where the first and the last are; that needs sorted lengths.
    const isSorted = !this.#isRagged || axis === around.primary;
    const fitting = rowsAtOnce.filter(many => many * single <= vectorsAtOnce(this.#scan));
    if (!this.#scan.batched || !isSorted || fitting.length === 0) {
      f.for(from, to, 1, row => rows(row, 1));
      return;
    }
    const row = f.let(from);
    const take = ([many, ...fewer]: readonly number[]): void => {
      if (many === undefined) {
        rows(row, 1);
        f.set(row, add(row, 1));
        return;
      }
      const last = f.let(add(row, many - 1));
      // The table of lengths is not read behind its end.
      const length = lengthOf(f.let(select(compare("lt", last, to), last, row)));
      const isGroup = binary("and", compare("lt", last, to), compare("eq", lengthOf(row), length));
      f.if(
        isGroup,
        () => {
          rows(row, many);
          f.set(row, add(row, many));
        },
        () => take(fewer),
      );
    };
    f.if(compare("lt", row, to), () =>
      f.doWhile(() => {
        take(fitting);
        return compare("lt", row, to);
      }),
    );
  }

  #rows(span: Span): void {
    const { operands, stores, carried, sums, sizes } = this.#scan;
    const f = this.#f;
    const tracks = this.#tracks;
    const { begin, count } = span;
    const ahead = sub(count, 1);
    const end = f.let(this.#forward ? add(begin, ahead) : sub(begin, ahead));
    const row: Row = {
      span,
      operands: operands.map(({ reference }) => tracks.track(reference, span)),
      stores: stores.map(({ reference }) => tracks.track(reference, span)),
      carried: carried.map(({ reference, kept }) => ({
        from: tracks.rows(reference, span.row, begin),
        to: kept === null ? null : tracks.rows(kept, span.row, end),
      })),
      sums: sums.map(({ node, reference }): Rows => {
        const { address, step } = tracks.rows(reference, span.row, begin);
        return { address: f.let(add(address, mul(this.#kernel.ownSum, this.#ownSum(node)))), step };
      }),
    };
    const outer = sizes.slice(0, -1);
    const enter = (indices: readonly Local[]): void => {
      const size = outer[indices.length];
      if (size === undefined) this.#line(row, indices);
      else f.for(0, size, 1, index => enter([...indices, index]));
    };
    enter([]);
  }

  /** All blocks along the last dimension. */
  #line(row: Row, indices: readonly Local[]): void {
    const lanes = this.#lanes;
    const width = vectorsAtOnce(this.#scan);
    const emit = (block: Omit<Block, "indices">): void =>
      new ScanBlock(this.#f, this.#scan, lanes, row, { ...block, indices }).emit(this.#tracks);
    // The last vector of all is written number by number unless it is full.
    const full = this.#rest < lanes ? this.#vectors - 1 : this.#vectors;
    const blocks = Math.floor(full / width);
    const isInner = indices.reduce<Operand>((all, index) => binary("or", all, index), 0);
    const first = (at: Operand): Operand =>
      indices.length === 0 && at === 0 ? 1 : compare("eq", binary("or", isInner, at), 0);
    const bytes = 4 * lanes * width;
    const whole = (at: Operand): void => emit({ at, vectors: width, rest: lanes, first: first(at) });
    if (blocks === 1) whole(0);
    else if (blocks > 1) this.#f.for(0, blocks * bytes, bytes, whole);
    const left = this.#vectors - blocks * width;
    if (left > 0) {
      emit({ at: blocks * bytes, vectors: left, rest: this.#rest, first: blocks > 0 ? 0 : first(0) });
    }
  }
}
