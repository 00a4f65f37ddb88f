// Whole processes that use a browser: they end by themselves, and however they end, no browser is left and no file of
// its; two at a time do not disturb each other.

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build, inBrowserTests, isGone } from "./harness.ts";

const root = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "frond-browser-"));
const windows = process.platform === "win32";

/** Runs a program, says what it gave and what the browser's process is, then does what is to be tried. */
const program = (before: string, ending: string): string => `
  const from = path => import(${JSON.stringify(pathToFileURL(join(root, "dist/")).href)} + path);
  const { inBrowser, closeBrowsers } = await from("backends/browser/index.js");
  const { BrowserHost } = await from("backends/browser/host.js");
  const { compile } = await from("compiler/index.js");
  const text = "model M {\\n  axis t\\n  input x[t]: real[2]\\n  output y[t] = dense(elman[t](x[t], 4), 3)\\n}\\n";
  const program = compile({ name: "m", text }).infer();
  ${before}
  const host = new BrowserHost();
  const executable = await inBrowser("wasm", { host }).compile(program);
  const values = program.parameters.map(({ name, shape }) => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5);
    return [name, { dtype: "real", shape, data }];
  });
  const state = executable.createState(new Map(values));
  const x = { dtype: "real", shape: [1, 3, 2], data: new Float32Array(6).fill(1) };
  const feeds = { batch: 1, inputs: new Map([["x", x]]), lengths: new Map(), seed: 0, step: 0 };
  const results = await executable.run(feeds, state);
  const { data } = await results.read("output.y");
  const { pid } = await host.open();
  console.log(JSON.stringify({ pid, data: [...data] }));
  ${ending}
`;

interface Ended {
  readonly pid: number;
  readonly data: readonly number[];
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly err: string;
  /** Files of the browser that are left. */
  readonly left: readonly string[];
}

async function run(ending: string, signal?: NodeJS.Signals, before = ""): Promise<Ended> {
  const temporary = mkdtempSync(join(folder, "run-"));
  const env = { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary };
  const argv = ["--input-type=module", "--eval", program(before, ending)];
  const child = spawn(process.execPath, argv, { cwd: root, env, timeout: 30_000 });
  let [out, err] = ["", ""];
  child.stdout.on("data", data => {
    out += data;
    if (signal !== undefined && out.endsWith("\n")) child.kill(signal);
  });
  child.stderr.on("data", data => {
    err += data;
  });
  const [code, by] = await new Promise<[number | null, NodeJS.Signals | null]>(resolve =>
    child.on("close", (...how) => resolve(how)),
  );
  return { ...JSON.parse(out || "{}"), code, signal: by, err, left: readdirSync(temporary) };
}

async function expectGone(pid: number): Promise<void> {
  expect(pid).toBeGreaterThan(0);
  expect(await isGone(pid)).toBe(true);
}

inBrowserTests(() => {
  beforeAll(build);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("three processes side by side: they end by themselves, when they close it, when they exit", async () => {
    const all = await Promise.all([run(""), run("await host.close();"), run("process.exit(3);")]);
    expect(all.map(({ code, err, left }) => [code, err, left])).toEqual(
      [0, 0, 3].map(code => [code, "", []]),
    );
    for (const { pid } of all) await expectGone(pid);
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(3);
    expect(new Set(all.map(({ data }) => data.join())).size).toBe(1);
  });

  test("errors that nobody catches, signals, signals that the program itself listens to", async () => {
    const wait = "await new Promise(resolve => setTimeout(resolve, 60_000));";
    const listens = `process.once("SIGTERM", () => { console.error("goodbye"); process.exitCode = 5; clearInterval(timer); });
      const timer = setInterval(() => {}, 1000);`;
    const failed = run(`setTimeout(() => { throw new Error("nobody's"); }); ${wait}`);
    const signalled = windows ? [] : [run(wait, "SIGINT"), run("", "SIGTERM", listens), run(wait, "SIGKILL")];
    expect(await failed).toMatchObject({ code: 1, err: expect.stringContaining("nobody's"), left: [] });
    const [interrupted, polite, killed] = await Promise.all(signalled);
    if (!windows) {
      expect(interrupted).toMatchObject({ code: 130, err: "", left: [] });
      expect(polite).toMatchObject({ code: 5, err: "goodbye\n", left: [] });
      // Nothing could be cleared away; but the browser is gone.
      expect(killed).toMatchObject({ code: null, signal: "SIGKILL", err: "" });
    }
    for (const { pid } of await Promise.all([failed, ...signalled])) await expectGone(pid);
  });
});
