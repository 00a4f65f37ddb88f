// How many threads TensorFlow gets: what is asked for before its library is loaded, unless the environment says it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { openBackend, wantThreads } from "../../backends/registry.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { render } from "../../compiler/diagnostics/render.ts";
import { openSession } from "../../runtime/open.ts";
import { compileText } from "../harness/models.ts";

const names = ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"] as const;
for (const name of names) delete process.env[name];
const model = compileText("twice.frond", "model Twice {\n  input x: real\n  output y = x + x\n}\n");

// A session says it, before it asks whether the backend is there; what it is refused with, where it is not, is tested elsewhere.
const session = await openSession({ model, backend: "native", compile: { threads: 2 } }).catch(() => null);
const { runs, why } = await import("./installed.ts");

describe.runIf(runs)(`the library${why}`, () => {
  const page = readFileSync(join(import.meta.dirname, "..", "..", "spec", "errors", "F0950.md"), "utf8");

  test("has as many as the first session asked for, and no others", async () => {
    expect(session).not.toBeNull();
    const native = await openBackend("native");
    expect(await native.probe()).toMatchObject({ detail: expect.stringMatching(/, threads: 2$/) });
    wantThreads(4);
    expect(await native.probe()).toMatchObject({ detail: expect.stringMatching(/, threads: 2$/) });
    for (const options of [{}, { threads: 2 }]) (await native.compile(model.infer(), options)).dispose();
    const error = await native.compile(model.infer(), { threads: 4 }).catch((error: unknown) => error);
    const text = error instanceof FrondError ? render(error.diagnostics, { color: false }) : String(error);
    expect(page).toContain(`\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`);
  });
});

describe("the environment", () => {
  beforeEach(() => void vi.resetModules());
  const settings = () => import("../../backends/native/settings.ts");
  const said = (env: NodeJS.ProcessEnv) => names.map(name => env[name]);

  test("one thread, unless more are wanted, until the library is loaded", async () => {
    const { setThreads, wantThreads, threadsOf } = await settings();
    const env = {};
    setThreads(env);
    expect(said(env)).toEqual(["1", "1"]);
    wantThreads(3);
    setThreads(env);
    expect(said(env)).toEqual(["3", "3"]);
    setThreads(env, 2);
    expect(threadsOf(env)).toBe("2");
  });

  test("what it says stays, and is no reason to refuse", async () => {
    const { setThreads, checkThreads } = await settings();
    const env = { TF_NUM_INTRAOP_THREADS: "8" };
    setThreads(env, 2);
    setThreads(env, 4);
    expect(said(env)).toEqual(["8", "4"]);
    expect(() => checkThreads(env, 2)).not.toThrow();
  });

  test("other threads than it was loaded with are refused, not those that nobody asks for", async () => {
    const { setThreads, checkThreads } = await settings();
    const env = {};
    setThreads(env, 2);
    expect(() => checkThreads(env, undefined)).not.toThrow();
    expect(() => checkThreads(env, 2)).not.toThrow();
    expect(() => checkThreads(env, 1)).toThrow("F0950");
  });
});
