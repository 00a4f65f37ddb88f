// The page's end: carries out commands with the backends that the page has, and keeps what they make until it is told
// to free it. Loaded by the page that server.ts sends; knows of Node nothing but the socket.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { InternalError, unreachable } from "../../compiler/unreachable.ts";
import type { Backend, Executable, Results, State, Tensor } from "../api.ts";
import type { Stamp } from "../losses.ts";
import { resultsDisposed, stateDisposed } from "../misuse.ts";
import { backends as registered } from "../registry.ts";
import { decode, encode } from "./codec.ts";
import type { Answer, Ask, Command, FromPage, Handle, Refusal, ToPage } from "./protocol.ts";

/** A program's executable, and whether its runs change the state. */
interface Compiled {
  readonly kind: "executable";
  readonly object: Executable;
  readonly updates: boolean;
}

interface Placed {
  readonly kind: "state";
  readonly object: State;
  stamp: Stamp;
  /** Settles when the last command on it does: a fetch never sees half a run. */
  turn: Promise<unknown>;
}

interface Computed {
  readonly kind: "results";
  readonly object: Results;
}

/** Connects to the server that the page came from. */
export function serve(): void {
  const address = new URL("socket", document.baseURI);
  address.protocol = "ws:";
  const socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  const page = new Page(registered, message => socket.send(message));
  socket.onopen = () => page.begin();
  socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => page.receive(data);
}

export class Page {
  readonly #backends: readonly Backend[];
  readonly #send: (message: Uint8Array<ArrayBuffer>) => void;
  readonly #objects = new Map<Handle, Compiled | Placed | Computed>();

  constructor(backends: readonly Backend[], send: (message: Uint8Array<ArrayBuffer>) => void) {
    this.#backends = backends;
    this.#send = send;
  }

  /** Says that commands may come. */
  begin(): void {
    const isolated = globalThis.crossOriginIsolated === true;
    this.#reply({ kind: "ready", isolated });
  }

  /** Commands begin in the order in which they come; what takes long does not hold up those after it. */
  receive(message: ArrayBuffer): void {
    const command = decode(message) as ToPage;
    if (command.kind === "free") {
      for (const handle of command.handles) this.#free(handle);
      return;
    }
    const { id } = command;
    // An answer may be too large to be sent: that is a refusal too.
    this.#carryOut(command)
      .then(answer => this.#reply({ kind: "answer", id, answer }))
      .catch(error => this.#reply({ kind: "refusal", id, refusal: refusalOf(error) }));
  }

  #reply(reply: FromPage): void {
    this.#send(encode(reply));
  }

  async #carryOut(command: Command): Promise<unknown> {
    switch (command.kind) {
      case "probe":
        return this.#backend(command.backend).probe();
      case "compile":
        return this.#compile(command);
      case "memory":
        return this.#executable(command.executable).object.memory(command.batch, command.extents);
      case "place":
        return this.#place(command);
      case "run":
        return this.#run(command);
      case "read":
        return this.#results(command.results).read(command.name);
      case "fetch":
        return this.#fetch(command);
      default:
        return unreachable(command);
    }
  }

  async #compile({ executable, backend, program, options }: Ask<"compile">): Promise<Answer<"compile">> {
    const object = await this.#backend(backend).compile(program, options);
    this.#objects.set(executable, { kind: "executable", object, updates: program.updates.length > 0 });
    return object.profile !== undefined;
  }

  #place({ state, executable, values, stamp }: Ask<"place">): Answer<"place"> {
    const object = this.#executable(executable).object.createState(values);
    this.#objects.set(state, { kind: "state", object, stamp, turn: Promise.resolve() });
    return null;
  }

  async #run({ executable, state, results, feeds }: Ask<"run">): Promise<Answer<"run">> {
    const compiled = this.#executable(executable);
    const placed = this.#state(state);
    return takeTurn(placed, async () => {
      const object = await compiled.object.run(feeds, placed.object);
      this.#objects.set(results, { kind: "results", object });
      if (compiled.updates) placed.stamp = { runs: placed.stamp.runs + 1, step: feeds.step };
      return compiled.object.profile?.() ?? [];
    });
  }

  async #fetch({ state, names }: Ask<"fetch">): Promise<Answer<"fetch">> {
    const placed = this.#state(state);
    const asked = performance.now();
    return takeTurn(placed, async () => {
      const waited = performance.now() - asked;
      const values = new Map<string, Tensor>();
      for (const name of names) values.set(name, await placed.object.read(name));
      return { values, stamp: placed.stamp, waited };
    });
  }

  #free(handle: Handle): void {
    this.#objects.get(handle)?.object.dispose();
    this.#objects.delete(handle);
  }

  #backend(name: string): Backend {
    const found = this.#backends.find(backend => backend.name === name);
    if (found === undefined) throw new InternalError("browser/page", `no backend ${name}`);
    return found;
  }

  #executable(handle: Handle): Compiled {
    const found = this.#objects.get(handle);
    if (found?.kind !== "executable") throw new InternalError("browser/page", `no executable ${handle}`);
    return found;
  }

  #state(handle: Handle): Placed {
    const found = this.#objects.get(handle);
    if (found?.kind !== "state") throw stateDisposed();
    return found;
  }

  #results(handle: Handle): Results {
    const found = this.#objects.get(handle);
    if (found?.kind !== "results") throw resultsDisposed();
    return found.object;
  }
}

/** After the commands on the state that came before, whatever became of them. */
function takeTurn<T>(placed: Placed, work: () => Promise<T>): Promise<T> {
  const done = placed.turn.then(work);
  placed.turn = done.catch(() => undefined);
  return done;
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof FrondError) return { kind: "refused", diagnostics: error.diagnostics };
  const message = error instanceof Error ? error.message : String(error);
  return { kind: error instanceof InternalError ? "bug" : "failed", message };
}
