// Statements, headers and imports as they are written: each text is its own canonical form, or prints as one.

import { expect, test } from "vitest";
import { format } from "../../compiler/syntax/format.ts";
import { parse } from "../../compiler/syntax/parse.ts";

function canonical(text: string): string {
  const { file, diagnostics } = parse({ name: "t.frond", text });
  expect(diagnostics.map(({ title }) => title)).toEqual([]);
  return format(file);
}

test.each([
  "axis t",
  "axis s, t",
  "axis k = 0..width - 1",
  "axis u = t / 2",
  "input x[t]: real[features]",
  "input x: real",
  "target y[t]: index(classes)",
  "param W[k]: real[d, 4 * n] = glorotUniform()",
  "param g: real",
  "share enc = lstm(units)",
  "h[t<0] = s",
  "h[i < 0, j] = 0",
  "out[t + 1] = f(p[t])",
  "(h[t], c[t]) = lstm[t](x[t], units)",
  "output p[t] = softmax[s](a[t, s])",
  "output (h[t], c[t]) = lstm[t](x[t], units)",
  "metric accuracy = mean[t](argmax(p[t]) == y[t])",
  "loss = mean[t](crossEntropy(logits[t], y[t]))",
  "train { optimizer: adam(rate: 0.001), clip: norm(1), batch: 32, epochs: 5 }",
  "train {}",
  "generate out[t + 1] = sample(p[t]) from 1 until out[t + 1] == 0",
  "generate out[t + 1] = sample(p[t])",
  "input = 3",
  "axis[t] = axis[t - 1] + output",
  "train[t] = target",
  "from = until + 1",
  "real = 1",
  "m[t] = max(x[2 * u], x[2 * u + 1])",
  "p[t] = pick[s](x[s], k[t])",
])("%s", line => {
  const text = `model M {\n  ${line}\n}\n`;
  expect(canonical(text).replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
});

test.each([
  ["a = b\n  from = c", "a = b\n  from = c"],
  ["input x: real\n  y = x", "input x: real\n  y = x"],
  ["generate a = b\n    from 1\n    until c\n  from[t] = 3", "generate a = b from 1 until c\n  from[t] = 3"],
  ["a = f(\n    x, // first\n    n: 3,\n  )", "a = f(x, n: 3)"],
  ["a = b // c\n  // d = e", "a = b"],
  ["a = x → b".replace(" → b", ""), "a = x"],
  ["train {\n    batch: 32, // small\n    epochs: 5,\n  }", "train { batch: 32, epochs: 5 }"],
])("%j", (lines, expected) => {
  expect(canonical(`model M {\n  ${lines}\n}\n`)).toBe(`model M {\n  ${expected}\n}\n`);
});

test("headers, imports and docs", () => {
  const text = `import { attend, b as c } from "./attention.frond"

/// A cell.
///
/// With two states.
layer cell[i, j](x[i, j]: real[d], units: size, f: function = tanh, on: bool = true) -> h[i, j], c[i, j] {
}

model M {
}

model N(units: size = 4) {
}
`;
  expect(canonical(text)).toBe(text);
  expect(canonical(text.replace("->", "→").replaceAll("\n", "\r\n"))).toBe(text);
});

test("a comment of four slashes, or above a statement, is no doc", () => {
  const text = "//// no\n// no\nmodel M {\n  /// no\n  axis t\n}\n/// yes\nmodel N {}";
  const { file } = parse({ name: "t.frond", text });
  expect(file.definitions.map(({ doc }) => doc)).toEqual(["", "yes"]);
});
