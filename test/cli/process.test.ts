// `frond` as a whole process, as built: start-up, pipes, exit codes, signals.

import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
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

/** No parameters, so no weights: counts down from one below \`top\`. */
const countdown = `model Countdown(n: size = 10, top: size = 5) {
  axis t
  input out[t]: index(n)
  output p[t] = out[t]
  generate out[t+1] = out[t] - 1 from top until out[t+1] == 0
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
  writeFileSync(file("countdown.frond"), countdown);
  const sizes = [2, 4, 3];
  const x = sizes.map(size => Array.from({ length: size }, (_, i) => Array(10).fill(i / 10)));
  const y = sizes.map(size => Array(size).fill(1));
  writeFileSync(file("d.json"), JSON.stringify({ x, y }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Of a few runs the fastest, in milliseconds: other tests run beside this one. Ends with the first that is fast enough. */
function fastest(limit: number, run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3 && best >= limit; i++) {
    const started = performance.now();
    run();
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

test("check of the seed's model takes less than 400 ms", () => {
  const check = () =>
    expect(frond(["check", file("tagger.frond")])).toEqual({ code: 0, out: "", err: "1 file checked: ok\n" });
  expect(fastest(400, check)).toBeLessThan(400);
});

/** 45 layers, ten of them with a mistake each, of the kinds that people make. */
function longFile(): string {
  const cell = (k: number) => `/// Cell ${k}.
layer cell${k}[t](x[t]: real[d], units: size) -> h[t], c[t] {
  param W: real[d, 4*units]     = glorotUniform()
  param U: real[units, 4*units] = orthogonal()
  param b: real[4*units]        = zeros()

  (i[t], f[t], g[t], o[t]) = split(x[t] @ W + h[t-1] @ U + b, 4)
  c[t] = sigmoid(f[t]) * c[t-1] + sigmoid(i[t]) * tanh(g[t])
  h[t] = sigmoid(o[t]) * tanh(c[t])
}

`;
  const mistakes: readonly (readonly [string, string])[] = [
    ["tanh(c[t])", "tanh(c[t]"],
    ["@ U", "@ Y"],
    ["c[t] =", "c[t] = ="],
    ["sigmoid(f[t])", "sigmiod(f[t])"],
    ["[units, 4*units]", "[units, 3*units]"],
    ["h[t] = ", "h[t] := "],
    ["param b", "parm b"],
    ["split(x[t] @ W", "split(x @ W"],
    ["tanh(g[t])", "tanh g[t]"],
    ["layer cell", "layr cell"],
  ];
  return Array.from({ length: 46 }, (_, k) => {
    const [right, wrong] = mistakes[(k - 3) / 4] ?? ["", ""];
    return cell(k).replace(right, wrong);
  }).join("");
}

test("500 lines with ten errors are reported in less than 1.5 s", () => {
  const text = longFile();
  expect(text.split("\n").length).toBeGreaterThan(500);
  writeFileSync(file("long.frond"), text);
  const check = () => {
    const { code, err } = frond(["check", file("long.frond")]);
    expect(code).toBe(1);
    expect(err.match(/^error\[/gm)).toHaveLength(10);
    expect(err).toMatch(/1 file checked: 10 errors\n$/);
  };
  expect(fastest(1500, check)).toBeLessThan(1500);
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

test.skipIf(!existsSync("/dev/full"))("a full disk is told, not thrown", () => {
  const command = `"${process.execPath}" ${main} dump graph "${file("tagger.frond")}" > /dev/full`;
  const { status, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
  expect([status, stderr]).toEqual([
    1,
    "error[F0821]: cannot write standard output\nhelp: the disk is full\n",
  ]);
});

test("a device is written to, a link is followed", () => {
  writeFileSync(file("target.json"), "");
  symlinkSync(file("target.json"), file("link.json"));
  const run = ["run", file("countdown.frond"), "--generate", "2", "--out", file("link.json")];
  expect(frond(run)).toMatchObject({ code: 0, err: "" });
  expect(lstatSync(file("link.json")).isSymbolicLink()).toBe(true);
  expect(JSON.parse(readFileSync(file("target.json"), "utf8"))).toEqual({ out: [[4, 3]] });
});

describe("generation", () => {
  test("without data: as many examples as wanted, to their end", () => {
    const { code, out, err } = frond(["run", file("countdown.frond"), "--generate", "9", "--count", "2"]);
    expect([code, err, JSON.parse(out)]).toEqual([0, "", { out: Array(2).fill([4, 3, 2, 1, 0]) }]);
  });

  test("arguments of the model from outside, results in a file", () => {
    const argv = ["run", file("countdown.frond"), "--generate", "3", "--size", "top=8", "--json"];
    const { code, out } = frond([...argv, "--out", file("out.npz")]);
    expect([code, JSON.parse(out)]).toEqual([
      0,
      { model: "Countdown", backend: "wasm", examples: 1, saved: file("out.npz") },
    ]);
    const { arrays, lengths } = readDataset(readFileSync(file("out.npz")), "out.npz");
    expect(arrays.get("out")).toEqual({ dtype: "index", shape: [1, 3], data: Int32Array.of(7, 6, 5) });
    expect([...lengths.get("out")!]).toEqual([3]);
  });

  test("a start that there is not", () => {
    const { code, err } = frond(["run", file("countdown.frond"), "--generate", "3", "--size", "top=11"]);
    expect(code).toBe(1);
    expect(err).toContain("`from` must be a whole number, 0 to 9, not 11");
  });
});

test("--unroll changes how it is computed, not what", () => {
  const data = [file("tagger.frond"), "--data", file("d.json"), "--size", "units=8"];
  expect(frond(["train", ...data, "--epochs", "1", "--save", file("u.safetensors")]).code).toBe(0);
  const scores = ["1", "3", "full"].map(factor => {
    const argv = ["eval", ...data, "--weights", file("u.safetensors"), "--json", "--unroll", factor];
    return JSON.parse(frond(argv).out).loss;
  });
  for (const loss of scores) expect(loss).toBeCloseTo(scores[0], 5);
});

test("examples without steps are examples", () => {
  writeFileSync(file("empty.json"), '{ "x": [[], []], "y": [[], []] }');
  const argv = ["train", file("tagger.frond"), "--data", file("empty.json"), "--epochs", "1", "--json"];
  const { code, out, err } = frond(argv);
  expect([code, err, JSON.parse(out).epochs[0].train]).toEqual([0, "", { loss: 0, accuracy: 0 }]);
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

  test("before the end of an epoch nothing is saved, and that is no success", async () => {
    const x = Array.from({ length: 3000 }, () => Array(20).fill(Array(10).fill(0.1)));
    writeFileSync(file("large.json"), JSON.stringify({ x, y: x.map(steps => steps.map(() => 1)) }));
    const argv = ["train", file("tagger.frond"), "--data", file("large.json"), "--backend", "reference"];
    const child = spawn(process.execPath, [main, ...argv, "--save", file("none.safetensors")]);
    let out = "";
    child.stdout.on("data", chunk => {
      out += chunk;
    });
    // The first plain line comes after 5 s; the reference is far from done by then.
    child.stderr.once("data", () => child.kill("SIGINT"));
    const code = await new Promise(resolve => child.once("close", resolve));
    expect([code, out]).toEqual([
      1,
      "Tagger: stopped before the end of an epoch: nothing was learned, nothing saved\n",
    ]);
    expect(existsSync(file("none.safetensors"))).toBe(false);
  });
});
