// What the tests of the browser share: whether there is one, pages without one, and programs to run in both.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page as PlaywrightPage } from "playwright-core";
import { describe, test } from "vitest";
import type { Backend, Executable, Feeds, State, Tensor } from "../../backends/api.ts";
import type { BrowserOptions } from "../../backends/browser/chromium.ts";
import { Connection } from "../../backends/browser/connection.ts";
import { findBrowser, machineHere } from "../../backends/browser/find.ts";
import { BrowserHost, type Host, type OpenPage } from "../../backends/browser/host.ts";
import { Page } from "../../backends/browser/page.ts";
import type { FrondError } from "../../compiler/diagnostics/error.ts";
import type { Program } from "../../compiler/index.ts";
import { compileNamed, environmentOf } from "../harness/models.ts";
import { feedsOf, trainingConfig, valuesOf } from "../harness/training.ts";

const required = (process.env.FROND_REQUIRE ?? "").split(",").includes("webgl");

function missing(): string | null {
  try {
    createRequire(import.meta.url).resolve("playwright-core");
  } catch {
    return "playwright-core is not installed";
  }
  return findBrowser(machineHere()).path === null ? "no browser was found; FROND_BROWSER may name one" : null;
}

const reason = required ? null : missing();

/** Tests that need a browser; without one, a single test that is skipped and says why. */
export function inBrowserTests(tests: () => void): void {
  if (reason === null) tests();
  else describe(`in a browser: ${reason}`, () => test.skip(reason, () => {}));
  if (reason !== null) process.stderr.write(`skipped: the tests in a browser: ${reason}\n`);
}

/** The page loads dist/. Costs nothing when it is up to date, as after `npm test`'s set-up. */
export function build(): void {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build.mjs"], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

/** A page in this process, with backends of the test's own. */
export function pageHere(backends: readonly Backend[]): {
  readonly host: Host;
  end(reason: FrondError): void;
} {
  let open: OpenPage | null = null;
  const make = (): OpenPage => {
    const later = (receive: (message: ArrayBuffer) => void) => (message: Uint8Array<ArrayBuffer>) =>
      void setTimeout(() => receive(message.buffer));
    const page = new Page(
      backends,
      later(message => connection.receive(message)),
    );
    const connection = new Connection({ send: later(message => page.receive(message)) });
    return { connection, browser: "none", pid: null };
  };
  return {
    host: {
      open: async () => {
        if (open === null || open.connection.lost !== null) open = make();
        return open;
      },
    },
    end: reason => open?.connection.lose(reason),
  };
}

/** A training that can be carried on step by step. */
export interface Training {
  readonly executable: Executable;
  readonly state: State;
  /** Runs one step and gives its loss. */
  step(step: number): Promise<number>;
}

export const trainingProgram = (name: string): Program => compileNamed(name).train(trainingConfig);

/** Another batch at each step, the same for everybody. */
export const feedsAt = (program: Program, step: number): Feeds => ({
  ...feedsOf(environmentOf(program, { seed: step, batch: 4, extent: 4 + (step % 3) })),
  step,
});

export async function train(backend: Backend, name = "lstm"): Promise<Training> {
  const program = trainingProgram(name);
  const executable = await backend.compile(program);
  const state = executable.createState(valuesOf(program, environmentOf(program, { seed: 9 })));
  const step = async (number: number): Promise<number> => {
    const results = await executable.run(feedsAt(program, number), state);
    const { data } = await results.read("loss");
    results.dispose();
    return data[0]!;
  };
  return { executable, state, step };
}

export async function valuesIn(state: State): Promise<ReadonlyMap<string, Tensor>> {
  const values = new Map<string, Tensor>();
  for (const name of state.names) values.set(name, await state.read(name));
  return values;
}

/** To be compared for equality. */
export const bits = (values: ReadonlyMap<string, Tensor>): readonly unknown[] =>
  [...values].map(([name, { dtype, shape, data }]) => [name, dtype, shape, data.constructor.name, [...data]]);

/** What a promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error("nothing was refused");
    },
    (error: unknown) => error,
  );
}

/** A browser of the test's own, with playwright-core's view of it. */
export function watchedBrowser(options: BrowserOptions = {}): {
  readonly host: BrowserHost;
  page(): PlaywrightPage;
} {
  let browser: Browser | null = null;
  const load = async () => {
    const { chromium } = await import("playwright-core");
    const launch: typeof chromium.launch = async options => {
      browser = await chromium.launch(options);
      return browser;
    };
    return { chromium: Object.assign(Object.create(chromium) as typeof chromium, { launch }) };
  };
  return { host: new BrowserHost(options, { load }), page: () => browser!.contexts()[0]!.pages()[0]! };
}

/** Whether the browser, whose first process this is, is gone with all of its processes, at once or in a moment. */
export async function isGone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 150; tries++) {
    if (!lives(pid)) return true;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  return false;
}

/** Playwright gives a browser a process group of its own; on Windows there are none. */
function lives(pid: number): boolean {
  try {
    process.kill(process.platform === "win32" ? pid : -pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  // What has ended and waits for its parent to notice still counts as a process.
  return readdirSync("/proc").some(name => /^\d+$/.test(name) && isMember(name, pid));
}

function isMember(process: string, group: number): boolean {
  try {
    const stat = readFileSync(`/proc/${process}/stat`, "utf8");
    const [state, , ownGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(ownGroup) === group && state !== "Z" && state !== "X";
  } catch {
    return false;
  }
}
