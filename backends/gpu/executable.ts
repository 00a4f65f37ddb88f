// A program on whatever device there is: lowered for it, and lowered again for the next one where that is lost.

import type { AxisId, NodeType } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import { unrollBy } from "../../compiler/unroll/partial.ts";
import type { Executable, Feeds, Results, State, Tensor } from "../api.ts";
import { normalizeFeeds } from "../feeds.ts";
import { executableDisposed, foreignState, otherBackend, withinMemory } from "../misuse.ts";
import { compileUnrolled } from "../unrolled.ts";
import { type Variable, variablesOf } from "../variables.ts";
import type { Devices } from "./device.ts";
import { refuseLargeConstants, refuseLargeFeeds, refuseLargeValues } from "./indices.ts";
import { Lowered } from "./lowered.ts";
import { GpuState } from "./state.ts";

/** Compiles with `unroll` as CompileOptions has it. Throws a FrondError where that is neither "full" nor a factor. */
export async function compileOn(
  devices: Devices,
  program: Program,
  unroll: "full" | number,
): Promise<Executable> {
  const compile = (looped: Program): Promise<Executable> => GpuExecutable.compile(devices, looped);
  if (unroll === "full") return compileUnrolled(program, { unroll }, compile);
  // A device has no use for several steps in one turn of a loop: the host walks through loops.
  unrollBy(program.schedule, unroll);
  return compileUnrolled(program, {}, compile);
}

const tooLargeHelp = [
  "its parameters and states alone do not fit the graphics device; the backend wasm has the computer's memory",
];

export class GpuExecutable implements Executable {
  readonly #devices: Devices;
  readonly #program: Program;
  readonly #variables: readonly Variable[];
  readonly #types: ReadonlyMap<string, NodeType>;
  #lowered: Lowered;
  #disposed = false;

  private constructor(devices: Devices, program: Program, lowered: Lowered) {
    this.#devices = devices;
    this.#program = program;
    this.#variables = variablesOf(program);
    this.#types = typesOf(program);
    this.#lowered = lowered;
  }

  static async compile(devices: Devices, program: Program): Promise<GpuExecutable> {
    refuseLargeConstants(devices.backend, program);
    return new GpuExecutable(devices, program, new Lowered(await devices.open(), program));
  }

  createState(values: ReadonlyMap<string, Tensor>): State {
    if (this.#disposed) throw executableDisposed(this.#program);
    const lengths = this.#program.graph.axes.flatMap(({ id, length }) =>
      length === null ? [] : [[id, length] as const],
    );
    const state = new GpuState(this.#devices, this.#variables, this.#types, new Map(lengths), values);
    refuseLargeValues(this.#devices.backend, values);
    return state;
  }

  async run(feeds: Feeds, state: State): Promise<Results> {
    if (this.#disposed) throw executableDisposed(this.#program);
    if (!(state instanceof GpuState) || state.devices !== this.#devices)
      throw foreignState(this.#program, otherBackend);
    state.checkFor(this.#program, this.#variables);
    const fed = normalizeFeeds(this.#program, feeds);
    refuseLargeFeeds(this.#devices.backend, this.#program, fed);
    try {
      const lowered = this.#lowered.device.lost === null ? this.#lowered : await this.#lowerAgain();
      withinMemory(this.#program, fed.batch, () => state.placeOn(lowered.device), tooLargeHelp);
      return withinMemory(this.#program, fed.batch, () => lowered.run(fed, state));
    } catch (error) {
      throw state.explain(error);
    }
  }

  async #lowerAgain(): Promise<Lowered> {
    const device = await this.#devices.open();
    if (this.#disposed) throw executableDisposed(this.#program);
    // Another run may have been faster.
    if (this.#lowered.device !== device) {
      this.#lowered.dispose();
      this.#lowered = new Lowered(device, this.#program);
    }
    return this.#lowered;
  }

  memory(batch: number, open: ReadonlyMap<AxisId, number>): number {
    if (this.#disposed) throw executableDisposed(this.#program);
    return this.#lowered.memory(batch, open);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#lowered.dispose();
  }
}

/** The types of parameters and states. */
function typesOf({ parameters, states }: Program): ReadonlyMap<string, NodeType> {
  return new Map([
    ...parameters.map(
      ({ name, axes, shape }) => [name, { dtype: "real", shape, axes, batched: false }] as const,
    ),
    ...states.map(({ name, dtype, axes, shape }) => [name, { dtype, shape, axes, batched: false }] as const),
  ]);
}
