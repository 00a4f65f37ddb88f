// `frond` as a whole process, as built: start-up, pipes, exit codes, signals.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDataset } from "../../runtime/data/dataset.ts";

const main = "dist/runtime/cli/main.js";
const folder = mkdtempSync(join(tmpdir(), "frond-process-"));
const file = (name: string) => join(folder, name);

const model = `model Tagger(features: size = 10, units: size = 128, classes: size = 10) {
  axis t
  input  x[t]: real[features]
  target y[t]: index(classes)

  h[t]      = lstm[t](x[t], units)
  logits[t] = dense(h[t], classes)

  output p[t]     = softmax(logits[t])
  loss            = mean[t](crossEntropy(logits[t], y[t]))
  metric accuracy = mean[t](argmax(p[t]) == y[t])

  train { optimizer: adam(rate: 1e-3), clip: norm(1.0), batch: 32, epochs: 5 }
}
`;

function frond(argv: readonly string[], input = ""): { code: number | null; out: string; err: string } {
  const { NO_COLOR: _, FORCE_COLOR: __, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...argv], {
    input,
    encoding: "utf8",
    env,
  });
  return { code: status, out: stdout, err: stderr };
}

beforeAll(() => {
  // Costs nothing when it is up to date, as after `npm test`'s set-up.
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build.mjs"], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  writeFileSync(file("tagger.frond"), model);
  const sizes = [2, 4, 3];
  const x = sizes.map(size => Array.from({ length: size }, (_, i) => Array(10).fill(i / 10)));
  const y = sizes.map(size => Array(size).fill(1));
  writeFileSync(file("d.json"), JSON.stringify({ x, y }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("check of the seed's model takes less than 400 ms", () => {
  const times = Array.from({ length: 3 }, () => {
    const started = performance.now();
    expect(frond(["check", file("tagger.frond")])).toEqual({ code: 0, out: "", err: "1 file checked: ok\n" });
    return performance.now() - started;
  });
  // The fastest: other tests run beside this one.
  expect(Math.min(...times)).toBeLessThan(400);
});

test("exit codes 0, 1 and 2; no stack trace, no colours in a pipe", () => {
  const wrong = frond(["check", "-"], model.replace("h[t], classes", "g[t], classes"));
  expect(wrong.code).toBe(1);
  expect(wrong.err).toContain("<stdin>");
  expect(wrong.err).not.toContain("\u001b");
  expect(frond(["check", "--jsn", file("tagger.frond")]).code).toBe(2);
  expect(frond(["--help"]).code).toBe(0);
});

test("a reader that has seen enough ends it without a word", () => {
  const command = `"${process.execPath}" ${main} dump unrolled "${file("tagger.frond")}" --length t=200 | head -1`;
  const { stdout, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
  expect([stdout.split("\n").length, stderr]).toEqual([2, ""]);
});

test("the whole way: train, go on, evaluate, run through a pipe", () => {
  const w = file("w.safetensors");
  const data = ["--data", file("d.json"), "--size", "units=8"];
  const train = ["train", file("tagger.frond"), ...data, "--save", w];
  expect(frond([...train, "--epochs", "2"]).code).toBe(0);
  const resumed = frond([...train, "--epochs", "3", "--resume", w]);
  expect([resumed.code, resumed.err.split("\n").length]).toEqual([0, 2]);
  const scores = JSON.parse(frond(["eval", file("tagger.frond"), ...data, "--weights", w, "--json"]).out);
  expect(scores.loss).toBeGreaterThan(0);
  const { code, out } = frond(["run", file("tagger.frond"), ...data, "--weights", w]);
  expect(code).toBe(0);
  expect(readDataset(new TextEncoder().encode(out), "p").lengths.get("p")).toEqual(Int32Array.of(2, 4, 3));
});

describe.skipIf(process.platform === "win32")("Ctrl-C", () => {
  test("ends a training at the last whole epoch, with exit code 0 and the weights saved", async () => {
    const argv = ["train", file("tagger.frond"), "--data", file("d.json"), "--epochs", "100000"];
    const child = spawn(process.execPath, [main, ...argv, "--save", file("c.safetensors")]);
    let out = "";
    child.stdout.on("data", chunk => {
      out += chunk;
    });
    child.stderr.once("data", () => child.kill("SIGINT"));
    const code = await new Promise(resolve => child.once("close", resolve));
    expect(code).toBe(0);
    expect(out).toMatch(/stopped after \d+ epochs?[\s\S]*saved/);
  });
});
