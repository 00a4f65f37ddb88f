// Threads for a module with shared memory: the caller is thread 0, workers are the others. A worker's JavaScript runs
// the module's own loop (codegen/team.ts), which sleeps between runs.

import { teamWords } from "../codegen/team.ts";

/** What a worker is given; its script knows nothing else. */
interface Post {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly thread: number;
}

/** A thread that takes a Post and works until it is told to leave; then it takes the next. */
interface Worker {
  /** Resolves when the worker is at work, rejects where it cannot be. */
  post(post: Post): Promise<void>;
}

/**
 * The same in Node and in browsers. A worker that fails says so in the team's words and lets the others pass, who would
 * wait for it without end.
 */
const script = (receive: string, send: string): string => `${receive}(post => {
  const words = new Int32Array(post.memory.buffer, 0, 256);
  try {
    const { exports } = new WebAssembly.Instance(post.module, { frond: { memory: post.memory } });
    ${send}("ready");
    exports.work(post.thread);
  } catch (error) {
    Atomics.store(words, ${teamWords.failed / 4}, 1);
    Atomics.add(words, ${teamWords.passed / 4}, 1);
    Atomics.notify(words, ${teamWords.passed / 4});
    ${send}(String(error));
  }
});`;

const nodeScript = script(
  'const { parentPort } = require("node:worker_threads"); (take => parentPort.on("message", take))',
  "parentPort.postMessage",
);
const pageScript = script("(take => { onmessage = event => take(event.data); })", "postMessage");

/** Whether this place has shared memory and workers: Node, or a cross-origin isolated page. */
export function mayShare(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  if (isNode()) return true;
  return typeof globalThis.Worker === "function" && globalThis.crossOriginIsolated === true;
}

const isNode = (): boolean => typeof process === "object" && process.versions?.node !== undefined;

/** Whether the calling thread may sleep: a page's main thread must not. */
const maySleep = (): boolean => isNode() || typeof document === "undefined";

/** Workers that have left their team. */
const idle: Worker[] = [];

async function newWorker(): Promise<Worker> {
  const { Worker: NodeWorker } = isNode() ? await import("node:worker_threads") : { Worker: null };
  if (NodeWorker !== null) {
    const worker = new NodeWorker(nodeScript, { eval: true });
    worker.unref();
    return {
      post: post =>
        new Promise<void>((resolve, reject) => {
          // The process stays for what it waits for, but not for workers that sleep.
          worker.ref();
          worker.once("error", reject);
          worker.once("message", message => {
            worker.off("error", reject);
            worker.unref();
            settle(message, resolve, reject);
          });
          worker.postMessage(post);
        }),
    };
  }
  const url = URL.createObjectURL(new Blob([pageScript], { type: "text/javascript" }));
  const worker = new globalThis.Worker(url);
  URL.revokeObjectURL(url);
  return {
    post: post =>
      new Promise((resolve, reject) => {
        worker.onerror = event => reject(new Error(event.message));
        worker.onmessage = ({ data }) => settle(data, resolve, reject);
        worker.postMessage(post);
      }),
  };
}

function settle(message: unknown, resolve: () => void, reject: (reason: Error) => void): void {
  if (message === "ready") resolve();
  else reject(new Error(`a thread cannot start: ${message}`));
}

export class Team {
  readonly threads: number;
  readonly #words: Int32Array;
  readonly #workers: readonly Worker[];
  #job = 0;

  private constructor(memory: WebAssembly.Memory, workers: readonly Worker[]) {
    // The words stay where they are when the memory grows; so does this view of them.
    this.#words = new Int32Array(memory.buffer, 0, 256);
    this.#workers = workers;
    this.threads = workers.length + 1;
  }

  static async gather(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    threads: number,
  ): Promise<Team> {
    const workers: Worker[] = [];
    while (workers.length < threads - 1) workers.push(idle.pop() ?? (await newWorker()));
    const team = new Team(memory, workers);
    team.#words[teamWords.threads / 4] = threads;
    team.#words[teamWords.mayWait / 4] = maySleep() ? 1 : 0;
    // Before the first run: a caller that waits for its workers in a barrier may keep them from starting.
    await Promise.all(workers.map((worker, i) => worker.post({ module, memory, thread: i + 1 })));
    return team;
  }

  /** Lets the workers begin the next run; the caller runs as thread 0 itself. */
  begin(): void {
    // -1 says leave, 0 is what workers begin with.
    this.#job = (this.#job % 0x7ffffffe) + 1;
    this.#signal(this.#job);
  }

  /** Whether a thread has failed: what was computed since is worth nothing. */
  get failed(): boolean {
    return Atomics.load(this.#words, teamWords.failed / 4) !== 0;
  }

  /** Sends the workers away; others may have them. */
  dispose(): void {
    this.#signal(-1);
    idle.push(...this.#workers);
  }

  #signal(job: number): void {
    Atomics.store(this.#words, teamWords.job / 4, job);
    Atomics.notify(this.#words, teamWords.job / 4);
  }
}
