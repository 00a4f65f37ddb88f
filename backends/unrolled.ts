// Unrolling as CompileOptions asks for it, for all backends alike. A factor rewrites the schedule, once. Straight code
// needs the lengths, which come with the data: it is made for the extents of a call and kept for calls like it.

import type { AxisId } from "../compiler/graph/graph.ts";
import type { Program } from "../compiler/program/program.ts";
import { unrollBy } from "../compiler/unroll/partial.ts";
import { straightened } from "../compiler/unroll/unroll.ts";
import type { CompileOptions, Executable, Feeds, Results, State, Tensor } from "./api.ts";
import { extentsOfAll, normalizeFeeds } from "./feeds.ts";
import { executableDisposed } from "./misuse.ts";
import { Recent } from "./recent.ts";

/** How a backend compiles a program whose loops are as they are to be. */
export type CompileLoops = (program: Program) => Executable | Promise<Executable>;

/** Compiles with `options.unroll`. Throws a FrondError where that is neither "full" nor a factor. */
export async function compileUnrolled(
  program: Program,
  { unroll = 1 }: CompileOptions,
  compile: CompileLoops,
): Promise<Executable> {
  if (unroll === "full") return new UnrolledExecutable(program, compile, await compile(program));
  return compile({ ...program, schedule: unrollBy(program.schedule, unroll) });
}

/** Extents whose straight code is kept, the most recently used ones. */
const extentsKept = 8;

/** Runs straight code, which it has compiled for the extents of each call. */
class UnrolledExecutable implements Executable {
  readonly #program: Program;
  readonly #compile: CompileLoops;
  /** The program with its loops: makes the states, which serve the straight programs too. */
  readonly #looped: Executable;
  readonly #straight = new Recent<Executable>(extentsKept, executable => executable.dispose());
  #turn: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(program: Program, compile: CompileLoops, looped: Executable) {
    this.#program = program;
    this.#compile = compile;
    this.#looped = looped;
  }

  createState(values: ReadonlyMap<string, Tensor>): State {
    return this.#looped.createState(values);
  }

  /** Calls take turns, so that nothing is disposed of to make room while it runs. */
  run(feeds: Feeds, state: State): Promise<Results> {
    const results = this.#turn.then(() => this.#runNow(feeds, state));
    this.#turn = results.catch(() => undefined);
    return results;
  }

  async #runNow(feeds: Feeds, state: State): Promise<Results> {
    if (this.#disposed) throw executableDisposed(this.#program);
    const { extents } = normalizeFeeds(this.#program, feeds);
    return (await this.#straightFor(extents)).run(feeds, state);
  }

  async #straightFor(extents: ReadonlyMap<AxisId, number>): Promise<Executable> {
    const key = keyOf(extents);
    const known = this.#straight.get(key);
    if (known !== undefined) return known;
    const schedule = straightened(this.#program.schedule, extents);
    const made = await this.#compile({ ...this.#program, graph: schedule.graph, schedule });
    if (this.#disposed) {
      made.dispose();
      throw executableDisposed(this.#program);
    }
    this.#straight.put(key, made);
    return made;
  }

  /** Known once there is straight code for these extents. */
  memory(batch: number, open: ReadonlyMap<AxisId, number>): ReturnType<Executable["memory"]> {
    if (this.#disposed) throw executableDisposed(this.#program);
    const extents = extentsOfAll(this.#program, batch, open);
    return this.#straight.get(keyOf(extents))?.memory(batch, open) ?? null;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#straight.clear();
    this.#looped.dispose();
  }
}

const keyOf = (extents: ReadonlyMap<AxisId, number>): string => [...extents.values()].join();
