// The line to a process: lines of JSON to its input and from its output.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { mark, type Reply, type Request } from "./protocol.ts";
import { type Line, patience } from "./remote.ts";

/** The last of what a process complained about. */
const complaint = 2000;

interface Child {
  readonly process: ChildProcessWithoutNullStreams;
  errors: string;
  answer: ((reply: Reply) => void) | null;
}

export class ProcessLine implements Line {
  readonly #command: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  #child: Child | null = null;

  constructor(command: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#command = command;
    this.#env = env;
  }

  get isOpen(): boolean {
    return this.#child !== null;
  }

  end(): void {
    this.#child?.process.kill("SIGKILL");
    this.#child = null;
  }

  ask(request: Request): Promise<Reply> {
    this.#child ??= this.#start();
    const child = this.#child;
    return new Promise(resolve => {
      const timer = setTimeout(() => {
        this.end();
        resolve({ error: `gave no answer for ${patience} s` });
      }, 1000 * patience);
      child.answer = given => {
        clearTimeout(timer);
        child.answer = null;
        resolve(given);
      };
      child.process.stdin.write(`${JSON.stringify(request)}\n`);
    });
  }

  #start(): Child {
    const [program, ...args] = this.#command;
    const running = spawn(program!, args, { env: { ...process.env, ...this.#env }, stdio: "pipe" });
    const child: Child = { process: running, errors: "", answer: null };
    const ended = (why: string) => {
      if (this.#child === child) this.#child = null;
      child.answer?.({ error: [why, lastLine(child.errors)].filter(text => text !== "").join(": ") });
    };
    running.on("error", error =>
      ended("code" in error && error.code === "ENOENT" ? `there is no ${program}` : error.message),
    );
    running.on("close", (status, signal) => ended(`ended with ${signal ?? `status ${status}`}`));
    // A dead process is told by `close`, whoever writes to it.
    running.stdin.on("error", () => {});
    running.stderr.on("data", (bytes: Buffer) => {
      child.errors = (child.errors + bytes).slice(-complaint);
    });
    createInterface({ input: running.stdout }).on("line", line => {
      if (line.startsWith(mark)) child.answer?.(JSON.parse(line.slice(mark.length)));
    });
    return child;
  }
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";
