// frond summary: what it prints for the README's model, and what it makes of its flags.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as compiler from "../../compiler/index.ts";
import { run } from "./harness.ts";

const root = join(import.meta.dirname, "..", "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const [, tagger = ""] = /^```frond\n([\s\S]*?)^```/m.exec(readme) ?? [];

const load = { compiler: async () => compiler };
/** On `cpu`, unless another backend is named after it. */
const summary = (text: string, ...options: readonly string[]) =>
  run(["summary", "-", "--backend", "cpu", ...options], { stdin: text, load });

/** Neither a loss nor an axis of unknown length. */
const plain = "model Plain(n: size = 4) {\n  input x: real[n]\n  output y = dense(x, 2)\n}\n";

test("the README's Tagger: the text is pinned; FROND_UPDATE=1 rewrites it", async () => {
  const pinned = join(import.meta.dirname, "fixtures", "summary-tagger.txt");
  // The reference's memory follows from the graph alone.
  const { code, out, err } = await summary(tagger, "--backend", "reference");
  expect([code, err]).toEqual([0, ""]);
  if (process.env.FROND_UPDATE === "1") writeFileSync(pinned, out);
  else expect(out).toBe(existsSync(pinned) ? readFileSync(pinned, "utf8").replaceAll("\r\n", "\n") : "");
  expect(Math.max(...out.split("\n").map(line => line.length))).toBeLessThanOrEqual(100);
});

test("batch, lengths and sizes", async () => {
  const first = async (...options: readonly string[]) =>
    (await summary(tagger, ...options)).out.split("\n")[0];
  expect(await first()).toBe("Tagger: 32 examples (its train block), t = 100 (assumed)");
  expect(await first("--batch", "1", "--length", "2000")).toBe("Tagger: 1 example, t = 2,000");
  expect(await first("--length", "7", "--length", "t=20")).toBe(
    "Tagger: 32 examples (its train block), t = 20",
  );
  const { out } = await summary(tagger, "--size", "units=64");
  expect(out).toMatch(/^h +lstm\[t\] +real\[64\] +t +19,200 /m);
  const untrained = tagger.replace(/^ *train .*\n/m, "").replace("axis t", "axis t, s");
  const named = await summary(untrained, "--length", "t=5,s=6");
  expect(named.out.split("\n")[0]).toBe("Tagger: 32 examples (the default), t = 5, s = 6");
});

test("as JSON", async () => {
  const { out } = await summary(tagger, "--json", "--batch", "2", "--length", "5");
  const found = JSON.parse(out);
  expect(found).toMatchObject({
    model: "Tagger",
    backend: "cpu",
    batch: 2,
    lengths: { t: 5 },
    assumed: [],
    parameters: 72_458,
    state: 144_918,
    flops: {
      inference: { rates: [{ batched: true, axes: ["t"], flops: 152_048 }], total: 1_520_480 },
    },
    bytes: { parameters: 4 * 72_458, state: 4 * 144_918 },
  });
  expect(found.parts[2]).toMatchObject({
    name: "h",
    made: ["lstm[t]"],
    value: { dtype: "real", shape: [128], axes: ["t"] },
    parameters: 71_168,
    flops: { inference: 1_492_480 },
  });
  expect(found.bytes.training).toBeGreaterThan(found.bytes.inference);
});

test("with a bound on memory: each level's cost, and the one that is taken", async () => {
  const levelsOf = async (bound: string) => {
    const { levels } = JSON.parse((await summary(tagger, "--memory", bound, "--json")).out);
    const { allowed, inference, training } = levels;
    return { allowed, inference, training, taken: [inference.taken, training.taken] };
  };
  const plenty = await levelsOf("1GB");
  expect(plenty.allowed).toBe(1e9);
  expect(plenty.taken).toEqual(["fast", "fast"]);
  const [fast, lean, least] = plenty.training.rows;
  expect([fast.level, lean.level, least.level]).toEqual(["fast", "lean", "least"]);
  expect(lean.flops).toBe(fast.flops);
  // The products of the forward loop once more: a third of the whole, and the gates.
  expect(least.flops / fast.flops).toBeGreaterThan(1.3);
  expect(least.flops / fast.flops).toBeLessThan(1.4);
  expect(lean.bytes).toBeLessThan(fast.bytes);
  expect(least.bytes).toBeLessThan(lean.bytes);
  expect((await levelsOf(`${lean.bytes}B`)).taken[1]).toBe("lean");
  expect((await levelsOf(`${least.bytes}B`)).taken[1]).toBe("least");
  expect((await levelsOf("1kB")).taken).toEqual([null, null]);
  const { out } = await summary(tagger, "--memory", `${least.bytes}B`);
  const rows = out.slice(out.indexOf("within ")).trimEnd().split("\n");
  expect(rows).toHaveLength(7);
  expect(rows[0]).toMatch(/^within \S+ MiB on cpu +level +FLOP +memory$/);
  expect(rows.filter(row => row.endsWith("  taken"))).toHaveLength(2);
  expect(rows[6]).toMatch(/^ +least +\d\.\d+ G +[\d.]+ MiB {2}taken$/);
  const none = await summary(tagger, "--memory", "1kB");
  expect(none.out.trimEnd().split("\n").at(-1)).toMatch(/ {2}too much$/);
  expect((await summary(plain, "--memory", "1MB")).out).not.toContain("training");
});

test("a model without a loss, and one without outputs", async () => {
  const { code, out } = await summary(plain);
  expect(code).toBe(0);
  expect(out).toMatch(/^Plain: 32 examples \(the default\)\n/);
  expect(out).not.toContain("training");
  expect(out).toMatch(/^y +dense, output +real\[2\] +10 +576$/m);
  const goal = await summary(
    "model Goal {\n  input x: real\n  param w: real = zeros()\n  loss = square(w - x)\n}\n",
  );
  expect(goal).toMatchObject({ code: 0 });
  expect(goal.out).not.toContain("inference");
});

test.each([
  [["--length", "s=3"], 1, "F0812", "the axes are t"],
  [["--length", "0"], 2, "F0922", "a whole number, 1 or more, for all axes or by name"],
  [["--length", "t=3,"], 2, "F0922", "as in `s=20,t=100`"],
  [["--length", "t=x"], 2, "F0922", "as in `s=20,t=100`"],
  [["--batch", "0"], 2, "F0922", "a whole number, 1 or more"],
  [["--memory", "64"], 2, "F0922", "a size with its unit, as in `64MB`"],
  [["--backend", "cpuu"], 2, "F0901", "did you mean `cpu`?"],
  [["--model", "Taggger"], 1, "F0733", "did you mean `Tagger`?"],
  [["--size", "unit=3"], 1, "F0711", "units"],
  [["--batch", `${2 ** 50}`], 2, "F0905", "needs more memory than there is"],
] as const)("%s is refused", async (options, code, diagnostic, says) => {
  const found = await summary(tagger, ...options);
  expect(found).toMatchObject({ code, out: "" });
  expect(found.err).toContain(diagnostic);
  expect(found.err).toContain(says);
});

test("a length for a model that has no such axis is refused", async () => {
  expect(await summary(plain, "--length", "5")).toEqual({
    code: 2,
    out: "",
    err: "error[F0928]: `--length` does not go with `Plain`, which has no axis of unknown length\nhelp: leave it out\n",
  });
});
