// A program compiled in a page, and again in the next page where that one is lost. What can be checked without the page
// is checked here, in the words that all backends use; programs, feeds and errors travel, and what runs compute stays
// in the page until it is read.

import type { AxisId } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { CompileOptions, Executable, Feeds, ProfileEntry, Results, State, Tensor } from "../api.ts";
import { executableDisposed, foreignState, otherBackend, resultsDisposed, unknownName } from "../misuse.ts";
import { type Variable, variablesOf } from "../variables.ts";
import { disown, type Held, newHandle, own } from "./handles.ts";
import type { OpenPage } from "./host.ts";
import type { Handle } from "./protocol.ts";
import { type Owner, RemoteState } from "./state.ts";

interface Compiled extends Held {
  /** Whether it has a profile. */
  readonly ready: Promise<boolean>;
}

export class RemoteExecutable implements Executable {
  readonly profile?: () => readonly ProfileEntry[];
  readonly #owner: Owner;
  readonly #program: Program;
  readonly #options: CompileOptions;
  readonly #variables: readonly Variable[];
  #compiled: Compiled;
  #spent: ProfileEntry[] = [];
  #disposed = false;

  private constructor(
    owner: Owner,
    program: Program,
    options: CompileOptions,
    compiled: Compiled,
    hasProfile: boolean,
  ) {
    this.#owner = owner;
    this.#program = program;
    this.#options = options;
    this.#variables = variablesOf(program);
    this.#compiled = compiled;
    own(this, compiled);
    if (hasProfile) this.profile = () => this.#takeProfile();
  }

  static async compile(owner: Owner, program: Program, options: CompileOptions): Promise<RemoteExecutable> {
    const compiled = compileIn(await owner.host.open(), owner, program, options);
    return new RemoteExecutable(owner, program, options, compiled, await compiled.ready);
  }

  createState(values: ReadonlyMap<string, Tensor>): State {
    if (this.#disposed) throw executableDisposed(this.#program);
    return new RemoteState(this.#owner, this.#variables, values);
  }

  async run(feeds: Feeds, state: State): Promise<Results> {
    if (this.#disposed) throw executableDisposed(this.#program);
    if (!(state instanceof RemoteState) || !state.belongsTo(this.#owner)) {
      throw foreignState(this.#program, otherBackend);
    }
    state.checkFor(this.#program, this.#variables);
    const page = await this.#owner.host.open();
    try {
      return await this.#runIn(page, feeds, state);
    } catch (error) {
      throw state.explain(error, page);
    }
  }

  async #runIn(page: OpenPage, feeds: Feeds, state: RemoteState): Promise<Results> {
    const executable = await this.#handleIn(page);
    const place = await state.placeIn(page, executable);
    if (this.#disposed) throw executableDisposed(this.#program);
    const results = newHandle();
    const ask = { executable, state: place, results, feeds };
    const spent = await page.connection.request("run", ask, this.#owner.backend);
    if (this.#program.updates.length > 0) state.changed(place, feeds.step);
    if (this.profile !== undefined) this.#spent.push(...spent);
    return new RemoteResults(this.#owner.backend, { page, handle: results }, this.#program.results);
  }

  async #handleIn(page: OpenPage): Promise<Handle> {
    if (this.#compiled.page !== page) {
      disown(this, null);
      this.#compiled = compileIn(page, this.#owner, this.#program, this.#options);
      own(this, this.#compiled);
    }
    const { ready, handle } = this.#compiled;
    await ready;
    return handle;
  }

  /** What the page says. */
  memory(batch: number, extents: ReadonlyMap<AxisId, number>): Promise<number | null> {
    if (this.#disposed) throw executableDisposed(this.#program);
    return this.#memoryIn(batch, extents);
  }

  async #memoryIn(batch: number, extents: ReadonlyMap<AxisId, number>): Promise<number | null> {
    const page = await this.#owner.host.open();
    const executable = await this.#handleIn(page);
    return page.connection.request("memory", { executable, batch, extents }, this.#owner.backend);
  }

  /** The parts of several runs as one. */
  #takeProfile(): readonly ProfileEntry[] {
    const entries = new Map<string, ProfileEntry>();
    for (const entry of this.#spent) {
      const { part, label, span } = entry;
      const key = `${part} ${label} ${span?.source.name}:${span?.start}-${span?.end}`;
      const before = entries.get(key)?.milliseconds ?? 0;
      entries.set(key, { ...entry, milliseconds: before + entry.milliseconds });
    }
    this.#spent = [];
    return [...entries.values()];
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    disown(this, this.#compiled);
  }
}

function compileIn(page: OpenPage, owner: Owner, program: Program, options: CompileOptions): Compiled {
  const handle = newHandle();
  const ask = { executable: handle, backend: owner.backend, program, options };
  const ready = page.connection.request("compile", ask, owner.backend);
  return { page, handle, ready };
}

class RemoteResults implements Results {
  readonly #backend: string;
  readonly #held: Held;
  readonly #names: readonly string[];
  #disposed = false;

  constructor(backend: string, held: Held, names: readonly string[]) {
    this.#backend = backend;
    this.#held = held;
    this.#names = names;
    own(this, held);
  }

  get names(): readonly string[] {
    return this.#disposed ? [] : this.#names;
  }

  async read(name: string): Promise<Tensor> {
    if (this.#disposed) throw resultsDisposed();
    if (!this.#names.includes(name)) throw unknownName(name, "result", this.#names);
    const { page, handle } = this.#held;
    return page.connection.request("read", { results: handle, name }, this.#backend);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    disown(this, this.#held);
  }
}
