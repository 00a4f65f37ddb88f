// Contractions as matrix products: matrices packed once where they become known, rows multiplied with them by the tile
// kernels, weight gradients over chunks of rows from which padding is left out.

import type { AxisId, Node, NodeOf, NodeType } from "../../compiler/graph/graph.ts";
import { add, compare, type FunctionBuilder, least, mul, type Operand, sub } from "./builder.ts";
import type { Expr, Func, Local } from "./code.ts";
import { positionsOf, type RowsTimesMatrix, type SumOfOuterProducts } from "./contract.ts";
import { columnBlocks, gradientProduct } from "./gradient.ts";
import { walkIndices } from "./indices.ts";
import { Kernel, type Position } from "./kernel.ts";
import { packedBytes, packMatrix, packRows, packTransposed, panelBytes } from "./pack.ts";
import type { Places, Reference } from "./places.ts";
import { rowProduct } from "./product.ts";
import type { Scope, Tasks } from "./tasks.ts";
import { blockColumns } from "./tile.ts";

/** Rows that a weight gradient takes at once: a panel stays in the first-level cache, the chunk in the second. */
const chunkRows = 256;

/** Where a weight gradient goes, and which blocks of its columns one thread computes. */
interface OwnPart {
  readonly out: Reference;
  /** Whether it lies in blocks of columns. */
  readonly isBlocked: boolean;
  readonly first: Local;
  readonly last: Local;
  readonly thread: Local;
}

/** What a product reads and writes; the first of those to be added up overwrites. */
interface Multiplied {
  readonly rows: Reference;
  readonly out: Reference;
  readonly matrix: Operand;
  readonly isFirst: boolean;
}

/** An operand of a weight gradient. */
export interface GradientOperand {
  readonly type: NodeType;
  readonly reference: Reference;
}

export class Products {
  readonly #tasks: Tasks;
  readonly #places: Places;
  /** Tile kernels by what they are made for. */
  readonly #kernels = new Map<string, Func>();
  /** Where packed matrices and the chunks of weight gradients lie, by what they hold. */
  readonly #addresses = new Map<string, number>();
  readonly #threads: number;

  constructor(tasks: Tasks, places: Places, threads: number) {
    this.#tasks = tasks;
    this.#places = places;
    this.#threads = threads;
  }

  #kernel(key: string, make: () => readonly Func[]): Func {
    const known = this.#kernels.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#tasks.functions.push(...made);
    const entry = made.at(-1)!;
    this.#kernels.set(key, entry);
    return entry;
  }

  #room(key: string, bytes: number): number {
    const address = this.#addresses.get(key) ?? this.#places.reserve(bytes);
    this.#addresses.set(key, address);
    return address;
  }

  /** Where the matrix of a product is packed; equal keys mean equal matrices. */
  #packed(key: string, { k, n, kStride, nStride }: RowsTimesMatrix, at: ReadonlyMap<AxisId, number>): number {
    const { target, tile } = this.#tasks;
    const name = `${key} ${k} ${n} ${kStride} ${nStride} @ ${[...at.values()].join()}`;
    return this.#room(name, packedBytes(k, n, target, tile));
  }

  /** Packs a product's matrices here, at the positions of the loops around; what is blocked is wanted transposed. */
  pack(
    scope: Scope,
    { id }: Node,
    key: string,
    spec: RowsTimesMatrix,
    { reference, isBlocked }: { readonly reference: Reference; readonly isBlocked: boolean },
  ): void {
    const { k, n, kStride, nStride } = spec;
    const { target, tile } = this.#tasks;
    const callee = this.#kernel(`pack ${k} ${n} ${isBlocked ? "blocks" : `${kStride} ${nStride}`}`, () => [
      isBlocked
        ? packTransposed({ k, n }, target, tile)
        : packMatrix({ k, n, kStride, nStride }, target, tile),
    ]);
    for (const at of positionsOf(spec.apart)) {
      const to = this.#packed(key, spec, at);
      this.#tasks.run(scope, {
        name: `pack ${key}`,
        nodes: [id],
        packs: true,
        free: [],
        rows: "one",
        memories: [],
        flat: false,
        make: kernel => {
          kernel.fix(at);
          kernel.f.call(callee, [kernel.rows(reference).address, to]);
        },
      });
    }
  }

  /** A product, its matrices packed under a key, or in blocks where they are kept. */
  product(
    scope: Scope,
    node: NodeOf<"contract">,
    free: readonly AxisId[],
    matrix: string | Reference,
    spec: RowsTimesMatrix,
    operands: { readonly rows: Reference; readonly out: Reference },
  ): void {
    const { apart } = spec;
    for (const at of positionsOf(apart)) {
      const isFirst = apart.every(({ axis, reduced }) => !reduced || at.get(axis) === 0);
      this.#tasks.run(scope, {
        name: `product ${node.label}`,
        nodes: [node.id],
        free: free.filter(axis => !at.has(axis)),
        rows: node.type.batched ? "each" : "one",
        memories: [operands.rows.memory, operands.out.memory],
        flat: true,
        make: kernel => {
          kernel.fix(at);
          const where =
            typeof matrix === "string" ? this.#packed(matrix, spec, at) : kernel.rows(matrix).address;
          this.#productKernel(kernel, node, spec, { ...operands, matrix: where, isFirst });
        },
      });
    }
  }

  #productKernel(
    kernel: Kernel,
    node: NodeOf<"contract">,
    { m, k, n }: RowsTimesMatrix,
    { rows, out, matrix, isFirst }: Multiplied,
  ): void {
    const { target, tile } = this.#tasks;
    const cStride = m === 1 ? this.#places.rowBytes(node.type.shape) : 4 * n;
    const callee = this.#kernel(`product ${k} ${n} ${cStride} ${isFirst}`, () =>
      rowProduct({ k, n, cStride, accumulate: !isFirst }, target, tile),
    );
    const { f } = kernel;
    const [a, c] = [kernel.rows(rows), kernel.rows(out)];
    const count = sub(kernel.to, kernel.from);
    const call = (many: Operand, step: Operand): void =>
      f.call(callee, [a.address, step, matrix, c.address, many]);
    if (m === 1) call(count, a.step);
    else if (a.step === 4 * m * k && c.step === 4 * m * n) call(mul(count, m), 4 * k);
    else {
      f.for(kernel.from, kernel.to, 1, () => {
        call(m, 4 * k);
        f.set(a.address, add(a.address, a.step));
        f.set(c.address, add(c.address, c.step));
      });
    }
  }

  /** A sum of outer products over all rows that are no padding. */
  gradient(
    scope: Scope,
    node: NodeOf<"contract">,
    spec: SumOfOuterProducts,
    operands: readonly [GradientOperand, GradientOperand],
    { out, isBlocked }: { readonly out: Reference; readonly isBlocked: boolean },
  ): void {
    const { target, tile } = this.#tasks;
    const blocks = this.#tasks.partOf(scope, columnBlocks(spec.n, target, tile));
    this.#tasks.mark(scope, [node.id]);
    for (const at of positionsOf(spec.apart)) {
      const kernel = new Kernel(`gradient ${node.label}`, [], this.#tasks.around);
      const [first, last, thread] = [kernel.f.param(), kernel.f.param(), kernel.f.param()];
      kernel.fix(at);
      this.#gradientKernel(kernel, node, spec, operands, { out, isBlocked, first, last, thread });
      const callee = kernel.finish();
      this.#tasks.functions.push(callee);
      const rows = node.attrs.batch ? [scope.from, scope.to] : [0, 1];
      scope.f.call(callee, [...rows, blocks.from, blocks.to, scope.team?.thread ?? 0]);
    }
  }

  #gradientKernel(
    kernel: Kernel,
    { attrs }: NodeOf<"contract">,
    { m, n, sizes, strides }: SumOfOuterProducts,
    operands: readonly [GradientOperand, GradientOperand],
    { out, isBlocked, first: firstBlock, last: lastBlock, thread }: OwnPart,
  ): void {
    const { target, tile } = this.#tasks;
    const columns = blockColumns(target, tile);
    const panels = [
      this.#panel(kernel, 0, m, tile.rows, thread),
      this.#panel(kernel, 1, n, columns, thread),
    ] as const;
    const multiply = this.#kernel(`gradient ${m} ${n} ${isBlocked}`, () =>
      gradientProduct({ m, n, cStride: isBlocked ? null : 4 * n, capacity: chunkRows }, target, tile),
    );
    const { f } = kernel;
    const target0 = kernel.rows(out).address;
    const [at, first] = [f.let(0), f.let(1)];
    const flush = (): void => {
      f.call(multiply, [panels[0].address, panels[1].address, target0, at, first, firstBlock, lastBlock]);
      f.set(at, 0);
      f.set(first, 0);
    };
    /** Rows `from` to `to` of both operands at one index of the axes. */
    const take = (from: Local, to: Operand, position: Position): void => {
      const rows = operands.map(({ reference }) => kernel.rows(reference, from, position));
      eachPlace(f, sizes, strides, (here: readonly Expr[]) => {
        const addresses = rows.map(({ address }, k) => f.let(add(address, here[k]!)));
        const left = f.let(sub(to, from));
        f.if(compare("gt", left, 0), () =>
          f.doWhile(() => {
            const count = f.let(least(left, f.let(sub(chunkRows, at))));
            for (const [k, { callee, address }] of panels.entries()) {
              f.call(callee, [addresses[k]!, rows[k]!.step, address, at, count]);
              f.set(addresses[k]!, add(addresses[k]!, mul(count, rows[k]!.step)));
            }
            f.set(at, add(at, count));
            f.set(left, sub(left, count));
            f.if(compare("eq", at, chunkRows), flush);
            return compare("gt", left, 0);
          }),
        );
      });
    };
    this.#walk(kernel, attrs, operands, take);
    f.if(compare("ne", add(at, first), 0), flush);
  }

  /** Each thread packs rows for itself: none waits for another. */
  #panel(kernel: Kernel, operand: 0 | 1, width: number, block: number, thread: Local) {
    const { target } = this.#tasks;
    const capacity = chunkRows;
    const callee = this.#kernel(`pack rows ${width} ${block}`, () => [
      packRows({ width, block, capacity }, target),
    ]);
    const bytes = panelBytes(width, block, capacity);
    const address = this.#room(`rows ${operand} ${width} ${block}`, bytes * this.#threads);
    return { callee, address: kernel.f.let(add(mul(thread, bytes), address)) };
  }

  /** Ranges of rows that are no padding. Where lengths along several axes matter, row by row. */
  #walk(
    kernel: Kernel,
    { axes, batch }: NodeOf<"contract">["attrs"],
    operands: readonly [GradientOperand, GradientOperand],
    take: (from: Local, to: Operand, position: Position) => void,
  ): void {
    const { f, around } = kernel;
    const { primary } = around;
    const types = operands.map(({ type }) => type);
    const isBatched = (axis: AxisId): boolean => types.some(type => type.batched && type.axes.includes(axis));
    const others = axes.filter(
      axis => axis !== primary && around.staticLength(axis) === null && isBatched(axis),
    );
    if (!batch || others.length > 0) {
      walkIndices(kernel, { axes, batch, operands: types }, null, (example, position) =>
        take(f.let(example), add(example, 1), position),
      );
      return;
    }
    const index = new Map<AxisId, Local>();
    const position: Position = axis => index.get(axis) ?? kernel.position(axis);
    const memories = operands.map(({ reference }) => reference.memory);
    const enter = (d: number, to: Local): void => {
      const axis = axes[d];
      if (axis === undefined) {
        const at = primary !== null && index.get(primary);
        this.#tasks.split(f, memories, { from: kernel.from, to }, at || null, (from, end) =>
          take(from, end, position),
        );
        return;
      }
      f.for(0, kernel.extent(axis), 1, i => {
        index.set(axis, i);
        enter(d + 1, axis === primary && isBatched(axis) ? this.#tasks.rowsAt(f, i, to) : to);
      });
    };
    enter(0, kernel.to);
  }
}

/** Loops over feature places, with the byte offset of each operand. */
function eachPlace(
  f: FunctionBuilder,
  sizes: readonly number[],
  strides: readonly (readonly number[])[],
  make: (offsets: readonly Expr[]) => void,
): void {
  const enter = (d: number, offsets: readonly Expr[]): void => {
    if (d === sizes.length) {
      make(offsets);
      return;
    }
    f.for(0, sizes[d]!, 1, i =>
      enter(
        d + 1,
        offsets.map((offset, k) => add(offset, mul(i, strides[k]![d]!))),
      ),
    );
  };
  enter(
    0,
    strides.map(() => ({ kind: "const", type: "i32", value: 0 }) as const),
  );
}
