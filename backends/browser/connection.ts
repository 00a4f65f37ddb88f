// Node's end of the line to a page: numbers commands, matches answers, and when the page is gone lets everything that
// waits know. How bytes get there is the channel's affair.

import type { FrondError } from "../../compiler/diagnostics/error.ts";
import { decode, encode } from "./codec.ts";
import { refused } from "./faults.ts";
import type { Answer, Ask, CommandName, FromPage, Handle, ToPage } from "./protocol.ts";

/** Carries messages to a page. */
export interface Channel {
  send(message: Uint8Array<ArrayBuffer>): void;
}

interface Waiting {
  /** Whose command it is, for messages. */
  readonly backend: string;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Begun {
  readonly resolve: (ready: Ready) => void;
  readonly reject: (reason: FrondError) => void;
}

type Ready = Extract<FromPage, { kind: "ready" }>;

export class Connection {
  readonly #channel: Channel;
  /** Told when something begins to wait for an answer and when nothing does any more. */
  readonly #busy: (busy: boolean) => void;
  readonly #waiting = new Map<number, Waiting>();
  /** Resolves when the page takes commands, with what it says of itself; rejects with `lost`. */
  readonly ready: Promise<Ready>;
  readonly #begun: Begun;
  #commands = 0;
  #lost: FrondError | null = null;

  constructor(channel: Channel, busy: (busy: boolean) => void = () => {}) {
    this.#channel = channel;
    this.#busy = busy;
    let begun: Begun | null = null;
    this.ready = new Promise((resolve, reject) => {
      begun = { resolve, reject };
    });
    this.#begun = begun!;
    // Not everybody waits for it.
    this.ready.catch(() => {});
  }

  /** Why nothing comes through any more; null while it does. */
  get lost(): FrondError | null {
    return this.#lost;
  }

  /** Whether something waits for an answer. */
  get waits(): boolean {
    return this.#waiting.size > 0;
  }

  /** Rejects with what the page refuses, or with `lost`. */
  request<K extends CommandName>(kind: K, ask: Ask<K>, backend: string): Promise<Answer<K>> {
    if (this.#lost !== null) return Promise.reject(this.#lost);
    this.#commands += 1;
    const id = this.#commands;
    const message = encode({ ...ask, kind, id });
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { backend, resolve: answer => resolve(answer as Answer<K>), reject });
      if (this.#waiting.size === 1) this.#busy(true);
      this.#channel.send(message);
    });
  }

  free(handles: readonly Handle[]): void {
    const message: ToPage = { kind: "free", handles };
    if (this.#lost === null) this.#channel.send(encode(message));
  }

  receive(message: ArrayBuffer): void {
    const received = decode(message) as FromPage;
    if (received.kind === "ready") this.#begun.resolve(received);
    else this.#settle(received);
  }

  #settle(received: Exclude<FromPage, Ready>): void {
    const waiting = this.#waiting.get(received.id);
    if (waiting === undefined) return;
    this.#waiting.delete(received.id);
    if (received.kind === "answer") waiting.resolve(received.answer);
    else waiting.reject(refused(received.refusal, waiting.backend));
    if (this.#waiting.size === 0) this.#busy(false);
  }

  /** The page is gone; the first reason counts. */
  lose(reason: FrondError): void {
    if (this.#lost !== null) return;
    this.#lost = reason;
    this.#begun.reject(reason);
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(reason);
    if (waiting.length > 0) this.#busy(false);
  }
}
