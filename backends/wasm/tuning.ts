// Which tile products are compiled with: what a table says of the engine at hand, unless a short check has found
// something clearly better, in this process or in an earlier one.
//
// The check takes 20 to 50 ms, a good part of what there is from a source text to its first result, and gains some
// percent at most where the table knows the engine. So no program waits for it: what is compiled first gets the
// table's tile at once, and the check takes its turns at the end of runs, once so much time has been spent in them
// that it is small beside it. What it finds serves the programs compiled later, and is remembered for later
// processes. An executable keeps its tile. No timers: a process never lives on for the check, and one that only
// computes, without a pause, is measured too.
//
// Whatever the tile, an element's products are added in the same order. A tile changes nothing but sums over all elements
// of a matrix that is kept in blocks (blocked.ts), such as the norm of all gradients, and these by rounding only.

import type { Executable, Feeds, Results, State } from "../api.ts";
import type { Target } from "../codegen/code.ts";
import type { Tile } from "../codegen/tile.ts";
import { makeCheck, type TileCheck, type Turn } from "./check.ts";
import { formatTile, readTile, type TileSettings, tileSettings } from "./settings.ts";

/** What is known of the engine. */
export interface Engine {
  /** With its version and, where it is known, the machine's kind. */
  readonly name: string;
  /** 11.3 for V8 11.3; null for other engines. */
  readonly v8: number | null;
}

interface Advice {
  readonly usual: Tile;
  /** Worth trying, the usual one first. */
  readonly candidates: readonly Tile[];
}

const tile = (rows: number, vectors: number): Tile => ({ rows, vectors });
const usual = tile(4, 2);

/**
 * GFLOP/s of check.ts on one core of a Zen 5 server (peak of multiplying and adding 128-bit vectors: about 66):
 *
 *     V8 (Node)    4x2   2x4   3x3   5x2
 *     11.3 (20)     63    62    38    43
 *     12.4 (22)     61    61    37    41
 *     13.6 (24)     62    62    60    63
 *     14.6 (26)     63    62    60    63
 *
 * Until V8 12, 3x3 and 5x2 spill: where a round's operands do not fit into the registers beside its sums.
 */
export function adviceFor({ v8 }: Engine): Advice {
  const candidates = [usual, tile(2, 4)];
  if (v8 !== null && v8 < 13) return { usual, candidates };
  return { usual, candidates: [...candidates, tile(3, 3), tile(5, 2)] };
}

/** What tells engines apart. */
export interface Host {
  readonly versions?: Readonly<Record<string, string | undefined>> | undefined;
  readonly arch?: string | undefined;
  readonly userAgent?: string | undefined;
}

/** Bun says which V8 it stands in for, and has another engine; Chrome 113 has V8 11.3. */
export function engineOf({ versions = {}, arch = "", userAgent = "" }: Host): Engine {
  const { bun, v8 } = versions;
  if (bun !== undefined) return { name: `bun ${bun} ${arch}`, v8: null };
  if (v8 !== undefined) return { name: `v8 ${v8} ${arch}`, v8: Number.parseFloat(v8) };
  const chrome = /\bChrom(?:e|ium)\/(\d+)/.exec(userAgent)?.[1];
  return { name: userAgent, v8: chrome === undefined ? null : Number(chrome) / 10 };
}

const engineHere = (): Engine =>
  engineOf({
    ...(typeof process === "object" ? { versions: process.versions, arch: process.arch } : {}),
    userAgent: globalThis.navigator?.userAgent,
  });

/** By what part of its time a tile must beat the usual one, beyond what the clock may err. */
const margin = 0.05;

/** The fastest of the candidates that beat the first one, the usual, clearly and in every turn; else the usual. */
export function choose(candidates: readonly Tile[], turns: readonly Turn[]): Tile {
  const total = (i: number): number => turns.reduce((sum, { times }) => sum + times[i]!, 0);
  const clearly = (i: number): boolean =>
    turns.every(({ times, doubt }) => times[i]! < times[0]! * (1 - margin - doubt));
  let best = 0;
  for (let i = 1; i < candidates.length; i++) if (clearly(i) && total(i) < total(best)) best = i;
  return candidates[best]!;
}

/** Raised when kernels change so that old choices mean nothing. */
const format = 1;
/** Engines remembered. */
const most = 8;

/** Tiles by engine in what a store holds, the newest last; none where it cannot be read. */
function entriesOf(text: string | null): readonly (readonly [engine: string, tile: unknown])[] {
  try {
    const content = JSON.parse(text ?? "null");
    return content?.format === format ? Object.entries(content.tiles ?? {}) : [];
  } catch {
    return [];
  }
}

/** The tile that a store's text holds for an engine, if it is still a candidate. */
export function recall(text: string | null, engine: Engine): Tile | null {
  const [, found] = entriesOf(text).find(([name]) => name === engine.name) ?? [];
  const tile = typeof found === "string" ? readTile(found) : null;
  if (tile === null) return null;
  return (
    adviceFor(engine).candidates.find(
      ({ rows, vectors }) => rows === tile.rows && vectors === tile.vectors,
    ) ?? null
  );
}

/** A store's text with the tile of one engine added or replaced. */
export function noted(text: string | null, engine: Engine, tile: Tile): string {
  const others = entriesOf(text).filter(([name]) => name !== engine.name);
  const kept = [...others.slice(1 - most), [engine.name, formatTile(tile)] as const];
  return `${JSON.stringify({ format, tiles: Object.fromEntries(kept) })}\n`;
}

/** Milliseconds in runs before the check begins, and between its turns: better code may need that to be ready. */
const [enough, pause] = [400, 20];
/** Both must agree, which a disturbance of one of them seldom does. */
const turnsNeeded = 2;

/** What tests replace. */
export interface TuningParts {
  readonly engine?: Engine;
  readonly settings?: () => TileSettings;
  readonly makeCheck?: (tiles: readonly Tile[], target: Target) => Promise<TileCheck>;
  readonly now?: () => number;
}

/** The choice of one process. */
export class Tuning {
  readonly #target: Target;
  readonly #engine: Engine;
  readonly #candidates: readonly Tile[];
  readonly #settings: () => TileSettings;
  readonly #makeCheck: (tiles: readonly Tile[], target: Target) => Promise<TileCheck>;
  readonly #now: () => number;
  #tile: Tile;
  #recalled: Promise<void> | null = null;
  /** Nothing is left to be measured. */
  #settled = false;
  /** Milliseconds in runs, and how many of them the check waits for. */
  #spent = 0;
  #wanted = enough;
  #busy = false;
  #check: TileCheck | null = null;
  readonly #turns: Turn[] = [];

  constructor(target: Target, parts: TuningParts = {}) {
    this.#target = target;
    this.#engine = parts.engine ?? engineHere();
    this.#settings = parts.settings ?? tileSettings;
    this.#makeCheck = parts.makeCheck ?? makeCheck;
    this.#now = parts.now ?? (() => performance.now());
    const { usual, candidates } = adviceFor(this.#engine);
    this.#candidates = candidates;
    this.#tile = usual;
  }

  /** For a program that is compiled now. */
  async tile(): Promise<Tile> {
    const { tile } = this.#settings();
    if (tile !== null) return tile;
    this.#recalled ??= this.#recall();
    await this.#recalled;
    return this.#tile;
  }

  /** The executable, its runs counted as long as there is something to find out. */
  watch(executable: Executable): Executable {
    if (this.#settled || this.#settings().tile !== null) return executable;
    return {
      createState: values => executable.createState(values),
      run: (feeds, state) =>
        this.#settled ? executable.run(feeds, state) : this.#counted(executable, feeds, state),
      memory: (batch, extents) => executable.memory(batch, extents),
      dispose: () => executable.dispose(),
    };
  }

  async #counted(executable: Executable, feeds: Feeds, state: State): Promise<Results> {
    const started = this.#now();
    const results = await executable.run(feeds, state);
    this.#spent += this.#now() - started;
    if (this.#spent >= this.#wanted && !this.#busy && !this.#settled) await this.#takeTurn();
    return results;
  }

  /** A tile that cannot be measured, remembered or recalled is no reason to fail: it is only a matter of speed. */
  async #takeTurn(): Promise<void> {
    this.#busy = true;
    try {
      if (this.#check === null) this.#check = await this.#makeCheck(this.#candidates, this.#target);
      else this.#turns.push(this.#check.turn());
      this.#wanted = this.#spent + pause;
      if (this.#turns.length === turnsNeeded) await this.#settle();
    } catch {
      this.#settled = true;
    } finally {
      this.#busy = false;
    }
  }

  async #settle(): Promise<void> {
    this.#settled = true;
    this.#check = null;
    this.#tile = choose(this.#candidates, this.#turns);
    const { store } = this.#settings();
    // What other processes have written meanwhile stays.
    if (store !== null) await store.write(noted(await store.read(), this.#engine, this.#tile));
  }

  async #recall(): Promise<void> {
    try {
      const { store } = this.#settings();
      const tile = store === null ? null : recall(await store.read(), this.#engine);
      if (tile === null) return;
      this.#tile = tile;
      this.#settled = true;
    } catch {
      // Measured as if there were no store.
    }
  }
}
