// Parameters and optimiser state that live in the page, and a copy of them here for the day when the browser is gone:
// the values last fetched, which is every few seconds while runs change them, and whenever all of them have been read.
//
// What a lost browser takes with it is told once, by the call that meets the loss: it rejects with a BrowserEnded that
// says after which step the values here were fetched. From then on the state is what it was there: it can be read
// without any browser, and the next run goes on from it in a new one. Where no run has changed the state since the
// fetch, nothing was lost; only a run that was under way is told then. A graphics device that the page says is lost is
// the same with a DeviceLost, and the page stays.

import type { FrondError } from "../../compiler/diagnostics/error.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { State, Tensor } from "../api.ts";
import { DeviceLost, type Stamp, tellsOfLostDevice } from "../losses.ts";
import { foreignState, otherVariables, stateDisposed, unknownName } from "../misuse.ts";
import { copyOf } from "../results.ts";
import { fittingValues, sameVariables, type Variable } from "../variables.ts";
import { BrowserEnded } from "./faults.ts";
import { disown, type Held, newHandle, own } from "./handles.ts";
import type { Host, OpenPage } from "./host.ts";
import type { Handle } from "./protocol.ts";

/** Whose state it is: states of another host or backend are foreign. */
export interface Owner {
  readonly host: Host;
  readonly backend: string;
  /** Milliseconds between a run that changes the state and the copy after it, at the least. */
  readonly copyEvery: number;
}

/** Fetches take at most this part of the time. */
const share = 0.05;

interface Values {
  readonly stamp: Stamp;
  readonly values: ReadonlyMap<string, Tensor>;
}

type Loss = BrowserEnded | DeviceLost;

/** The state in a page. */
interface Placed extends Held {
  readonly ready: Promise<unknown>;
  /** What reads have found since the last run. */
  found: { readonly runs: number; readonly values: Map<string, Tensor> };
}

export class RemoteState implements State {
  readonly names: readonly string[];
  readonly #owner: Owner;
  readonly #variables: readonly Variable[];
  /** The copy here. */
  #kept: Values;
  /** After the last run that is known to have succeeded. */
  #stamp: Stamp = { runs: 0, step: null };
  #placed: Placed | null = null;
  #loss: { readonly page: OpenPage; readonly error: Loss } | null = null;
  /** A loss that a fetch has met and no call has told. */
  #untold: Loss | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Milliseconds that the last fetch has taken. */
  #cost = 0;
  #disposed = false;

  constructor(owner: Owner, variables: readonly Variable[], values: ReadonlyMap<string, Tensor>) {
    this.#owner = owner;
    this.#variables = variables;
    this.names = variables.map(({ name }) => name);
    const fitting = fittingValues(variables, values);
    const copies = fitting.map((tensor, i) => [this.names[i]!, copyOf(tensor)] as const);
    this.#kept = { values: new Map(copies), stamp: this.#stamp };
  }

  belongsTo({ host, backend }: Owner): boolean {
    return this.#owner.host === host && this.#owner.backend === backend;
  }

  /** Refuses to serve when disposed of, for a program with other variables, and once after a loss. */
  checkFor(program: Program, variables: readonly Variable[]): void {
    if (this.#disposed) throw stateDisposed();
    if (!sameVariables(this.#variables, variables)) throw foreignState(program, otherVariables);
    this.#tellLoss();
  }

  /** The handle in the page, where the state is made of the copy here if it is not there yet. */
  async placeIn(page: OpenPage, executable: Handle): Promise<Handle> {
    this.#tellLoss();
    this.#placed ??= this.#place(page, executable);
    const { ready, handle } = this.#placed;
    await ready;
    return handle;
  }

  #place(page: OpenPage, executable: Handle): Placed {
    const handle = newHandle();
    const { values, stamp } = this.#kept;
    const ask = { state: handle, executable, values, stamp };
    const ready = page.connection.request("place", ask, this.#owner.backend);
    const placed: Placed = { page, handle, ready, found: { runs: stamp.runs, values: new Map() } };
    ready.catch(() => {
      if (this.#placed === placed) this.#placed = null;
    });
    own(this, placed);
    return placed;
  }

  /** A run has changed the state that is in a page at this place. */
  changed(place: Handle, step: number): void {
    if (this.#disposed || this.#placed?.handle !== place) return;
    this.#stamp = { runs: this.#stamp.runs + 1, step };
    const wait = Math.max(this.#owner.copyEvery, this.#cost / share);
    this.#timer ??= setTimeout(() => void this.#keep(), wait).unref();
  }

  /** What a run in the page that has ended with `error` is to reject with. */
  explain(error: unknown, page: OpenPage): unknown {
    if (error !== page.connection.lost && !tellsOfLostDevice(error)) return error;
    if (this.#placed?.page === page) this.#fallBack(this.#placed);
    this.#untold = null;
    return this.#loss?.page === page ? this.#loss.error : error;
  }

  async read(name: string): Promise<Tensor> {
    if (this.#disposed) throw stateDisposed();
    const kept = this.#kept.values.get(name);
    if (kept === undefined) throw unknownName(name, "parameter or state", this.names);
    this.#tellLoss();
    const placed = this.#placed;
    if (placed === null) return copyOf(kept);
    try {
      return (await this.#fetch(placed, [name])).get(name)!;
    } catch (error) {
      throw this.explain(error, placed.page);
    }
  }

  dispose(): void {
    this.#disposed = true;
    disown(this, this.#placed);
    this.#placed = null;
    this.#kept = { ...this.#kept, values: new Map() };
    this.#stopTimer();
  }

  /** Fetches everything. What fails here shows at the next call. */
  async #keep(): Promise<void> {
    this.#timer = null;
    const placed = this.#placed;
    if (placed === null || this.#kept.stamp.runs === this.#stamp.runs) return;
    await this.#fetch(placed, this.names).catch(error => {
      // A page tells of a lost device once.
      if (tellsOfLostDevice(error) && this.#placed === placed) this.#untold = this.#fallBack(placed);
    });
  }

  async #fetch(placed: Placed, names: readonly string[]): Promise<ReadonlyMap<string, Tensor>> {
    await placed.ready;
    const started = performance.now();
    const ask = { state: placed.handle, names };
    const fetched = await placed.page.connection.request("fetch", ask, this.#owner.backend);
    if (names.length === this.names.length) this.#cost = performance.now() - started - fetched.waited;
    if (this.#placed === placed) this.#note(placed, fetched);
    return fetched.values;
  }

  /** Values that are all there, and newer than the copy here, become the copy here. */
  #note(placed: Placed, { values, stamp }: Values): void {
    if (stamp.runs <= this.#kept.stamp.runs) return;
    if (placed.found.runs !== stamp.runs) placed.found = { runs: stamp.runs, values: new Map() };
    for (const [name, tensor] of values) placed.found.values.set(name, copyOf(tensor));
    if (placed.found.values.size === this.names.length) this.#kept = { values: placed.found.values, stamp };
  }

  /** Throws, once, where the page or its device is gone and with it changes that nobody has. */
  #tellLoss(): void {
    const placed = this.#placed;
    const isGone = placed !== null && placed.page.connection.lost !== null;
    const error = isGone ? this.#fallBack(placed) : this.#untold;
    this.#untold = null;
    if (error !== null && error.lost > 0) throw error;
  }

  /** From now on the state is what the copy here says. */
  #fallBack({ page }: Placed): Loss {
    const { stamp } = this.#kept;
    const error = this.#lossOf(page.connection.lost, stamp, this.#stamp.runs - stamp.runs);
    this.#loss = { page, error };
    this.#stamp = stamp;
    disown(this, this.#placed);
    this.#placed = null;
    this.#stopTimer();
    return error;
  }

  /** @param ended why the page is gone; null where its device is. */
  #lossOf(ended: FrondError | null, kept: Stamp, lost: number): Loss {
    if (ended === null) return new DeviceLost(this.#owner.backend, kept, lost);
    const reason = ended instanceof BrowserEnded ? ended.reason : "its page is gone";
    return new BrowserEnded(reason, kept, lost);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
