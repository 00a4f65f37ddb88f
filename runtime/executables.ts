// The programs of a session, compiled: each when it is first used. Under a bound on memory, what a call runs is built
// at the fastest level at which it fits, as the backend itself says for the largest batch that can come.

import type { Backend, CompileOptions, Executable } from "../backends/api.ts";
import { FrondError } from "../compiler/diagnostics/error.ts";
import { report } from "../compiler/diagnostics/report.ts";
import { grouped, listed } from "../compiler/diagnostics/wording.ts";
import type { AxisId } from "../compiler/graph/graph.ts";
import { type Level, levels } from "../compiler/program/levels.ts";
import type { Program } from "../compiler/program/program.ts";
import { formatBytes } from "./bytes.ts";
import type { Binding } from "./data/bind.ts";

/** A program that a call runs. */
export interface Wanted {
  readonly use: "train" | "evaluate" | "infer" | "generate";
  /** Tells programs of the same use apart; only the last one asked for is kept. */
  readonly variant?: string;
  readonly program: (level: Level) => Program;
  readonly most: Most;
}

/** No batch of the call has more examples, no example is longer. */
export interface Most {
  readonly batch: number;
  /** Of every axis of unknown length. */
  readonly extents: ReadonlyMap<AxisId, number>;
}

export interface Compiled {
  readonly program: Program;
  readonly executable: Executable;
}

/** What a bound on memory led to. */
export interface Fit {
  readonly level: Level;
  /** The most that the call's programs take together. */
  readonly bytes: number;
}

/** The largest batch that passes through the data can make. */
export function mostOf({ size, lengths }: Binding, batch: number): Most {
  const extents = [...lengths].map(([axis, own]) => [axis, longest(own)] as const);
  return { batch: Math.min(batch, size), extents: new Map(extents) };
}

const longest = (lengths: Int32Array): number => lengths.reduce((most, length) => Math.max(most, length), 0);

export class Executables {
  readonly #backend: Backend;
  readonly #options: CompileOptions;
  readonly #bound: number | null;
  /** By use and level. */
  readonly #kept = new Map<string, Compiled & { readonly variant: string }>();
  #fit: Fit | null = null;

  /** `bound`: bytes that the programs of a call may take together, parameters and states apart. */
  constructor(backend: Backend, options: CompileOptions, bound: number | null) {
    if (bound !== null && !(bound > 0)) throw new FrondError([report("F0908", { found: bound }, null)]);
    this.#backend = backend;
    this.#options = options;
    this.#bound = bound;
  }

  /** Of the last call; null without a bound. */
  get fit(): Fit | null {
    return this.#fit;
  }

  /** What a call runs, in the order in which it is asked for. Throws a FrondError where nothing fits. */
  async open(wanted: readonly Wanted[]): Promise<readonly Compiled[]> {
    if (this.#bound === null) return this.#compile(wanted, "fast");
    let best: { readonly bytes: number; readonly refusal: FrondError } | null = null;
    for (const level of levels) {
      const before = new Set(this.#kept.keys());
      const compiled = await this.#compile(wanted, level);
      const bytes = await this.#bytesOf(compiled, wanted);
      if (bytes !== null && bytes <= this.#bound) {
        this.#fit = { level, bytes };
        return compiled;
      }
      const refusal = bytes === null ? this.#unknown() : await this.#tooLarge(bytes, compiled, wanted);
      if (best === null || (bytes !== null && bytes < best.bytes)) best = { bytes: bytes ?? 0, refusal };
      this.#forget(key => !before.has(key));
      if (bytes === null) break;
    }
    throw best!.refusal;
  }

  dispose(): void {
    this.#forget(() => true);
  }

  async #compile(wanted: readonly Wanted[], level: Level): Promise<readonly Compiled[]> {
    const compiled: Compiled[] = [];
    for (const { use, variant = "", program: at } of wanted) {
      this.#forget((key, kept) => key.startsWith(`${use} `) && kept.variant !== variant);
      const key = `${use} ${level}`;
      const known = this.#kept.get(key);
      if (known !== undefined) {
        compiled.push(known);
        continue;
      }
      const program = at(level);
      const made = { program, variant, executable: await this.#backend.compile(program, this.#options) };
      this.#kept.set(key, made);
      compiled.push(made);
    }
    return compiled;
  }

  #forget(isPast: (key: string, kept: { readonly variant: string }) => boolean): void {
    for (const [key, kept] of this.#kept) {
      if (!isPast(key, kept)) continue;
      kept.executable.dispose();
      this.#kept.delete(key);
    }
  }

  /** What the programs take together, on fewer examples or shorter ones where `atMost` says so; null: not known. */
  async #bytesOf(
    compiled: readonly Compiled[],
    wanted: readonly Wanted[],
    atMost: { readonly batch?: number; readonly extent?: number } = {},
  ): Promise<number | null> {
    const { batch: most = Infinity, extent: longest = Infinity } = atMost;
    let total = 0;
    for (const [i, { executable }] of compiled.entries()) {
      const { batch, extents } = wanted[i]!.most;
      const cut = [...extents].map(([axis, extent]) => [axis, Math.min(extent, longest)] as const);
      const bytes = await executable.memory(Math.min(batch, most), new Map(cut));
      if (bytes === null) return null;
      total += bytes;
    }
    return total;
  }

  #unknown(): FrondError {
    const { name: backend } = this.#backend;
    const help =
      this.#options.unroll === "full"
        ? ["with `unroll` at full, code is made for the lengths of each call: leave it out"]
        : [];
    return new FrondError([report("F0907", { backend }, null, { help })]);
  }

  async #tooLarge(
    bytes: number,
    compiled: readonly Compiled[],
    wanted: readonly Wanted[],
  ): Promise<FrondError> {
    const bound = this.#bound!;
    const batch = Math.max(...wanted.map(({ most }) => most.batch));
    const extents = new Map<AxisId, number>();
    for (const { most } of wanted) {
      for (const [axis, extent] of most.extents) extents.set(axis, Math.max(extent, extents.get(axis) ?? 0));
    }
    const fits = async (atMost: { readonly batch?: number; readonly extent?: number }): Promise<boolean> =>
      ((await this.#bytesOf(compiled, wanted, atMost)) ?? Infinity) <= bound;
    const help = [
      `that is for ${plural(batch, "example")}${[...extents].map(([axis, n]) => `, ${axis} = ${grouped(n)}`).join("")}`,
      batchHelp(await largestBelow(batch, most => fits({ batch: most }))),
      ...(await lengthHelp(extents, longest => fits({ extent: longest }))),
      "or allow more memory",
    ];
    const programs = listed(compiled.map(({ program }) => program.name));
    const values = { programs, needed: formatBytes(bytes, "up"), bound: formatBytes(bound) };
    return new FrondError([report("F0906", values, null, { help })]);
  }
}

const plural = (count: number, word: string): string => `${grouped(count)} ${word}${count === 1 ? "" : "s"}`;

const batchHelp = (fitting: number): string =>
  fitting === 0 ? "not even one example of that length fits" : `batches of ${plural(fitting, "example")} fit`;

async function lengthHelp(
  extents: ReadonlyMap<AxisId, number>,
  fits: (longest: number) => Promise<boolean>,
): Promise<readonly string[]> {
  const fitting = await largestBelow(Math.max(0, ...extents.values()), fits);
  if (fitting === 0) return [];
  const axes = [...extents.keys()];
  return [`sequences of up to ${plural(fitting, "step")} fit${axes.length > 1 ? " along each axis" : ""}`];
}

/** The largest number from 1 to below `limit` that fits, or 0: what fits, fits for all smaller ones. */
async function largestBelow(limit: number, fits: (count: number) => Promise<boolean>): Promise<number> {
  let [low, high] = [0, limit];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}
