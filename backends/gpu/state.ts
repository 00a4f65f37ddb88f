// Parameters and optimiser state on a device, and a copy of them with the host for the day when the device is lost: the
// values first given, then those last copied, which is every few seconds while runs change them, and whenever all of
// them have been read. They are put on a device by the first run that wants them there.
//
// What a lost device takes with it is told once, by the call that meets the loss: it rejects with a DeviceLost that says
// after which step the values here were copied. From then on the state is what it was there, and the next run goes on
// from it on another device. Where no run has changed the state since, nothing was lost, and nothing is said.

import type { AxisId, NodeType } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { State, Tensor } from "../api.ts";
import { DeviceLost, type Stamp, tellsOfLostDevice } from "../losses.ts";
import { foreignState, otherVariables, stateDisposed, unknownName } from "../misuse.ts";
import { denseStrides } from "../plan/layout.ts";
import { copyOf } from "../results.ts";
import { fittingValues, sameVariables, type Variable } from "../variables.ts";
import { lastOf, outerOf, texelsIn } from "./cells.ts";
import type { Device, Devices } from "./device.ts";
import { type Columns, Held } from "./held.ts";
import { fromMatrix, type Region, type Sizes, toMatrix } from "./transfer.ts";

/** Milliseconds: more than backends/browser waits, whose copies, being reads of everything, are copies here too. */
const usualWait = 7000;
/** Copies take at most this part of the time. */
const share = 0.05;

interface Values {
  readonly stamp: Stamp;
  readonly values: ReadonlyMap<string, Tensor>;
}

/** The state on a device. */
interface Placed {
  readonly device: Device;
  readonly columns: Map<string, Columns>;
  /** What reads have found since the last run. */
  found: { readonly runs: number; readonly values: Map<string, Tensor> };
}

export class GpuState implements State {
  readonly names: readonly string[];
  readonly devices: Devices;
  readonly #variables: readonly Variable[];
  readonly #types: ReadonlyMap<string, NodeType>;
  readonly #sizes: Sizes;
  /** The copy with the host. */
  #kept: Values;
  /** After the last run. */
  #stamp: Stamp = { runs: 0, step: null };
  #placed: Placed | null = null;
  #loss: { readonly cause: Error | null; readonly error: DeviceLost } | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Milliseconds that the last copy has taken. */
  #cost = 0;
  #disposed = false;

  /** @param types of the variables, with their axes. */
  constructor(
    devices: Devices,
    variables: readonly Variable[],
    types: ReadonlyMap<string, NodeType>,
    extents: ReadonlyMap<AxisId, number>,
    values: ReadonlyMap<string, Tensor>,
  ) {
    this.devices = devices;
    this.#variables = variables;
    this.#types = types;
    this.#sizes = { batch: 1, extents };
    this.names = variables.map(({ name }) => name);
    const fitting = fittingValues(variables, values);
    const copies = fitting.map((tensor, i) => [this.names[i]!, copyOf(tensor)] as const);
    this.#kept = { stamp: this.#stamp, values: new Map(copies) };
  }

  /** Refuses to serve when disposed of, for a program with other variables, and once after a loss. */
  checkFor(program: Program, variables: readonly Variable[]): void {
    if (this.#disposed) throw stateDisposed();
    if (!sameVariables(this.#variables, variables)) throw foreignState(program, otherVariables);
    this.#tellLoss();
  }

  /** Puts the values on the device, if they are not there yet. */
  placeOn(device: Device): void {
    if (this.#disposed) throw stateDisposed();
    if (this.#placed?.device === device) return;
    this.#tellLoss();
    const columns = new Map<string, Columns>();
    try {
      for (const [name, tensor] of this.#kept.values) {
        const type = this.#types.get(name)!;
        const texels = texelsIn(lastOf(type.shape));
        const numbers = toMatrix(type, tensor, this.#sizes);
        const matrix = device.upload(numbers.length / (4 * texels), texels, numbers);
        columns.set(name, { held: new Held(device, matrix), column: 0 });
      }
    } catch (error) {
      for (const { held } of columns.values()) held.release();
      throw error;
    }
    this.#placed = { device, columns, found: { runs: this.#stamp.runs, values: new Map() } };
  }

  /** Where a value is on the device on which the state was put. */
  columns(name: string): Columns {
    return this.#placed!.columns.get(name)!;
  }

  /** New values of some variables, which this now holds, after a run at `step`. */
  update(values: ReadonlyMap<string, Columns>, step: number): void {
    if (values.size === 0) return;
    const { columns } = this.#placed!;
    for (const [name, own] of values) {
      columns.get(name)!.held.release();
      columns.set(name, own);
    }
    this.#stamp = { runs: this.#stamp.runs + 1, step };
    this.#copyLater();
  }

  async read(name: string): Promise<Tensor> {
    if (this.#disposed) throw stateDisposed();
    if (!this.names.includes(name)) throw unknownName(name, "parameter or state", this.names);
    this.#tellLoss();
    const placed = this.#placed;
    if (placed === null) return copyOf(this.#kept.values.get(name)!);
    try {
      return await this.#fetch(placed, name);
    } catch (error) {
      throw this.explain(error);
    }
  }

  /** What a call that has ended with `error` is to reject with. */
  explain(error: unknown): unknown {
    const placed = this.#placed;
    if (placed !== null && placed.device.lost === error) {
      const loss = this.#fallBack(placed);
      return tellsOfLostDevice(error) ? loss : error;
    }
    const loss = this.#loss;
    return loss !== null && loss.cause === error ? loss.error : error;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#stopTimer();
    this.#release();
    this.#kept = { ...this.#kept, values: new Map() };
  }

  async #fetch(placed: Placed, name: string): Promise<Tensor> {
    const stamp = this.#stamp;
    const { held, column } = placed.columns.get(name)!;
    const type = this.#types.get(name)!;
    const numbers = await held.read();
    const { data } = fromMatrix(
      type,
      regionOf(type, column),
      numbers,
      held.matrix.texels,
      this.#sizes,
      new Map(),
    );
    const { dtype, shape, axes } = type;
    const sizes = axes.map(axis => this.#sizes.extents.get(axis)!);
    const tensor = { dtype, shape: [...sizes, ...shape], data };
    this.#note(placed, stamp, name, tensor);
    return tensor;
  }

  /** Values that are all there, and newer than the copy here, become the copy here. */
  #note(placed: Placed, stamp: Stamp, name: string, tensor: Tensor): void {
    if (this.#placed !== placed || stamp.runs <= this.#kept.stamp.runs) return;
    if (stamp.runs < placed.found.runs) return;
    if (stamp.runs > placed.found.runs) placed.found = { runs: stamp.runs, values: new Map() };
    placed.found.values.set(name, copyOf(tensor));
    if (placed.found.values.size < this.names.length) return;
    this.#kept = { stamp, values: placed.found.values };
    this.#stopTimer();
    this.#copyLater();
  }

  #copyLater(): void {
    if (this.#timer !== null || this.#kept.stamp.runs === this.#stamp.runs) return;
    const wait = Math.max(this.devices.copyEvery ?? usualWait, this.#cost / share);
    this.#timer = setTimeout(() => void this.#copy(), wait);
    // In Node, which is not to wait for it.
    if (typeof this.#timer === "object") this.#timer.unref();
  }

  /** Copies everything. What fails here shows at the next call. */
  async #copy(): Promise<void> {
    this.#timer = null;
    const placed = this.#placed;
    if (placed === null) return;
    const started = performance.now();
    // All are asked for before another run can change any.
    await Promise.all(this.names.map(name => this.#fetch(placed, name))).catch(() => {});
    this.#cost = performance.now() - started;
  }

  /** Throws, once, where the device is gone and with it changes that nobody has. */
  #tellLoss(): void {
    const placed = this.#placed;
    if (placed === null || placed.device.lost === null) return;
    const { lost: cause } = placed.device;
    const error = this.#fallBack(placed);
    // A device ends by a bug of ours, too, which may show only after the run.
    if (!tellsOfLostDevice(cause)) throw cause;
    if (error.lost > 0) throw error;
  }

  /** From now on the state is what the copy here says. */
  #fallBack({ device: { lost: cause } }: Placed): DeviceLost {
    const { stamp } = this.#kept;
    const error = new DeviceLost(this.devices.backend, stamp, this.#stamp.runs - stamp.runs);
    this.#loss = { cause, error };
    this.#stamp = stamp;
    this.#stopTimer();
    this.#release();
    return error;
  }

  #release(): void {
    for (const { held } of this.#placed?.columns.values() ?? []) held.release();
    this.#placed = null;
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** @param column where it begins. */
function regionOf({ axes, shape }: NodeType, column: number): Region {
  const rows = { axes, batched: false, outer: outerOf(shape) };
  const features = { offset: 0, shape, dims: denseStrides(shape) };
  return { rows, column, width: lastOf(shape), features };
}
