// The claims of spec/language.md, one line each: programs with the values that they give on the reference, worked out by
// hand, and programs that are refused, with the code of the first error. Every program goes through the front door.

import { describe, expect, test } from "vitest";
import { checkSource, compileModel, render } from "../../compiler/index.ts";
import { type Nested, run } from "../lower/harness.ts";

const inputs = {
  x: [[1, 2, 3]],
  v: [
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  ],
  i: [[2, 0, 1]],
  q: [
    [
      [1, 2],
      [3, 4],
    ],
  ],
};
const parameters = {
  W: [
    [1, 2, 3],
    [4, 5, 6],
  ],
  u: [1, 10],
  P: [1, 10],
};

const declarations: Readonly<Record<string, string>> = {
  x: "input x[t]: real",
  v: "input v[t]: real[2]",
  i: "input i[t]: index(3)",
  q: "input q[a,b]: real",
  W: "param W: real[2, 3]",
  u: "param u: real[2]",
};

/** A model of the equations in `body`, with what it reads declared; layers stand before it. */
function modelOf(body: string, layers = ""): string {
  const read = Object.keys(declarations).filter(name => new RegExp(`(?<![\\w.])${name}\\b`).test(body));
  const axes = read.includes("q") ? "a, b" : "t";
  const lines = read.map(name => `  ${declarations[name]}\n`).join("");
  const declared = /^ *axis [a-z]+(,|$)/m.test(body) ? "" : `  axis ${axes}\n`;
  return `${layers}\nmodel M(n: size = 3, rate: number = 0.5, on: bool = true) {\n${declared}${lines}  ${body}\n}\n`;
}

const files: ReadonlyMap<string, string> = new Map([
  ["./scale.frond", "layer scale(x: real, by: number) -> y {\n  y = x * by\n}\n"],
]);
const readImport = (path: string) => {
  const text = files.get(path);
  return text === undefined ? null : { name: path.slice(2), text };
};

/** The outputs of a program for one example, without the batch. */
function outputsOf(text: string): Record<string, Nested> {
  const { model, diagnostics } = compileModel({ name: "m.frond", text }, { readImport });
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(render(errors, { color: false })).toBe("");
  const lowered = model!.lowered("infer");
  const fed = new Set(lowered.inputs.map(({ name }) => name));
  const results = run(lowered, {
    batch: 1,
    inputs: Object.fromEntries(Object.entries(inputs).filter(([name]) => fed.has(name))),
    parameters,
    ...(fed.size === 0 ? { lengths: { t: [3] } } : {}),
  });
  const { outputs, nodes } = lowered.graph;
  return Object.fromEntries(
    lowered.outputs.map(name => {
      const value = results[`output.${name}`]!;
      const { batched } = nodes.get(outputs.get(`output.${name}`)!)!.type;
      return [name, batched ? (value as readonly Nested[])[0]! : value];
    }),
  );
}

type Values = readonly (readonly [body: string, expected: Nested, layers?: string])[];

/** Each body has an output `y`. */
function gives(title: string, rows: Values): void {
  describe(title, () => {
    test.each(rows.map(([body, expected, layers]) => ({ body, expected, layers })))("$body", row => {
      const { body, expected, layers } = row;
      const { y } = outputsOf(modelOf(body, layers));
      const [found, wanted] = [[y].flat(5) as number[], [expected].flat(5) as number[]];
      expect(found.length).toBe(wanted.length);
      for (const [at, value] of wanted.entries()) {
        if (Number.isFinite(value)) expect(found[at]).toBeCloseTo(value, 12);
        else expect(found[at]).toBe(value);
      }
    });
  });
}

gives("text", [
  ["output y[t] = x[t]\n    + 1\n    * 2", [3, 4, 5]],
  ["output y[t] =\n    x[t]\n    - 1", [0, 1, 2]],
  ["output y[t] = max(\n    x[t],\n    2,\n  )", [2, 2, 3]],
  ["output y[t] = x[t] // + 1\n  // * 2", [1, 2, 3]],
  ["output y[t] = x[t] ⊙ 2 − 1", [1, 3, 5]],
  ["output y = u · u", 101],
  ["output y[t] = real(x[t] ≤ 2 and x[t] ≠ 1)", [0, 1, 0]],
  ["output y[t] = real(x[t] ≥ 2)", [0, 1, 1]],
  ["h̃[t] = x[t]\n  σ[t] = h̃[t] + 1\n  hₜ[t] = σ[t]\n  output y[t] = hₜ[t]", [2, 3, 4]],
  ["ñ[t] = x[t]\n  output y[t] = n\u0303[t]", [1, 2, 3]],
  ["input[t] = x[t]\n  axis = 2\n  train = 1\n  output y[t] = input[t] * axis + train", [3, 5, 7]],
  ["param[t] = x[t]\n  share = 1\n  metric = 1\n  output y[t] = param[t] + share + metric", [3, 4, 5]],
  ["output[t] = x[t]\n  generate[t] = output[t]\n  output y[t] = generate[t]", [1, 2, 3]],
  ["from[t] = x[t]\n  until[t] = from[t]\n  output y[t] = until[t]", [1, 2, 3]],
  ["model[t] = x[t]\n  layer = 1\n  as = 1\n  output y[t] = model[t] + layer + as", [3, 4, 5]],
  ["size = 2\n  number = 1\n  output y[t] = x[t] * size + number", [3, 5, 7]],
  ["last[t] = x[t]\n  output y[t] = last[t]", [1, 2, 3]],
  ["output y = .5 + 1e-1 + 1.5 + 2E+0 + 0 * sum[t](x[t])", 4.1],
  ["output y[t] = where(x[t] > 1, x[t], -inf)", [-Infinity, 2, 3]],
]);

gives("precedence", [
  ["output y[t] = -x[t]^2", [-1, -4, -9]],
  ["output y[t] = 2^x[t]^2", [2, 16, 512]],
  ["output y[t] = 2^-x[t]", [0.5, 0.25, 0.125]],
  ["output y[t] = 12 / x[t] / 2", [6, 3, 2]],
  ["output y[t] = 10 - x[t] - 1", [8, 7, 6]],
  ["output y = -u @ u * 2", -202],
  ["output y[t] = v[t] @ u * x[t]", [21, 86, 195]],
  ["output y[t] = real(not x[t] == 1 and x[t] < 3)", [0, 1, 0]],
  ["output y[t] = real(x[t] == 1 or x[t] == 2 and x[t] > 5)", [1, 0, 0]],
  ["output y[t] = real((x[t] == 1) == true)", [1, 0, 0]],
]);

gives("sizes and statics", [
  ["output y[t] = x[t] * (n / 2)", [1.5, 3, 4.5]],
  ["output y = sum(zeros(n / 2) + 1) + 0 * sum[t](x[t])", 1],
  ["output y = sum(ones(n * 2 - n ^ 2 + 5)) + 0 * sum[t](x[t])", 2],
  ["output y[t] = x[t - n / 2]", [0, 1, 2]],
  ["output y[t] = x[t] * rate", [0.5, 1, 1.5]],
  ["output y[t] = where(on, x[t], 0)", [1, 2, 3]],
  ["output y[t] = where(n == 3 and not (rate > 1), x[t], 0)", [1, 2, 3]],
  ["output y[t] = real(index(t) + n)", [3, 4, 5]],
  ["output y[t] = real(i[t] == n - 1)", [1, 0, 0]],
  ["output y[t] = real(2 * index(t) + 1 - i[t])", [-1, 3, 4]],
]);

gives("reads", [
  ["output y[t] = x[t-1] + 10 * x[t+1]", [20, 31, 2]],
  ["output y[t] = x[1+t] + x[t+1-2]", [2, 4, 2]],
  ["output y = x[first] + 10 * x[last] + 100 * x[first+1] + 1000 * x[last-1]", 2231],
  ["output y = x[last-3] + x[first+3] + 1", 1],
  ["h[t] = x[t]\n  h[t<0] = 7\n  h[t>last] = 8\n  output y[t] = h[t-1] + 10 * h[t+1]", [27, 31, 82]],
  ["h[t] = x[t]\n  h[t<0] = 7\n  output y = h[last-5] + h[first+5] + h[first-0] + 0 * sum[t](h[t-1])", 1],
  ["h[t] = 2 * h[t-1] + x[t]\n  h[t<0] = 1\n  output y[t] = h[t]", [3, 8, 19]],
  ["h[t] = 2 * h[t+1] + x[t]\n  h[t>last] = 1\n  output y[t] = h[t]", [25, 12, 5]],
  ["h[t] = h[t-1] + h[t-2]\n  h[t<0] = 1\n  output y[t] = h[t] + 0 * x[t]", [2, 3, 5]],
  ["h[t+1] = x[t]\n  output y[t] = h[t]", [0, 1, 2]],
  // At step 0 the right side stands at -1.
  ["h[t+1] = x[t] + real(index(t))\n  output y[t] = h[t]", [-1, 1, 3]],
  ["h[t+1] = h[t] + x[t]\n  h[t<0] = 9\n  output y[t] = h[t]", [9, 10, 12]],
  ["h[t-1] = x[t]\n  output y[t] = h[t]", [2, 3, 0]],
  ["h[t+1] = h[t] + x[t+1]\n  output y[t] = h[t]", [1, 3, 6]],
  ["(a[t+1], b[t+1]) = split(v[t], 2)\n  output y[t] = concat(a[t], b[t])", [0, 0, 1, 2, 3, 4]],
]);

gives("two axes", [
  ["output y[a,b] = q[a-1,b] + 10 * q[a,b+1]", [20, 0, 41, 2]],
  ["h[a,b] = q[a,b] + h[a-1,b] + h[a,b-1]\n  output y[a,b] = h[a,b]", [1, 3, 4, 11]],
  ["h[a,b] = q[a,b] + h[a+1,b] + h[a,b-1]\n  output y[a,b] = h[a,b]", [4, 13, 3, 7]],
  ["h[a,b] = q[a,b] + h[a-1,b]\n  h[a<0, b] = real(index(b))\n  output y[a,b] = h[a,b]", [1, 3, 4, 7]],
  // Results have their axes in the order of declaration, however they are written.
  ["output y[b,a] = q[a,b]", [1, 2, 3, 4]],
  ["output y = q[first,last] + 10 * q[last,first]", 32],
  ["output y[a] = sum[b](q[a,b])", [3, 7]],
  ["output y = sum[a,b](q[a,b])", 10],
  ["output y[a] = q[a,last]", [2, 4]],
  ["c[a] = q[a,first]\n  output y[a,b] = c[a] * q[a,b]", [1, 2, 9, 12]],
  ["output y[a,b] = softmax[a](0 * q[a,b])", [0.5, 0.5, 0.5, 0.5]],
  ["output y[a,b] = q[a,b] - mean[b](q[a,b])", [-0.5, 0.5, -0.5, 0.5]],
  // The second axis's recurrence passes through a reduction over the first.
  ["d[b] = sum[a](q[a,b] * d[b-1]) + 1\n  output y[b] = d[b]", [1, 7]],
]);

const sumLayer = `layer f[t](x[t]: real, start: number = 0) -> h[t] {
  h[t] = x[t] + 10 * h[t-1]
  h[t<0] = start
}`;
const twoStates = `layer f[t](x[t]: real) -> h[t], c[t] {
  c[t] = x[t] + c[t-1]
  h[t] = c[t] + 10 * h[t-1]
}`;
const positions = `layer f[t](x[t]: real) -> y[t] {
  y[t] = real(index(t)) + 10 * x[first] + 100 * x[last]
}`;
const bothSides = `layer f[t](x[t]: real) -> y[t] {
  h[t] = x[t]
  h[t<0] = 7
  h[t>last] = 8
  y[t] = h[t-1] + 10 * h[t+1]
}`;

gives("calls of layers", [
  ["output y[t] = f[t](x[t])", [1, 12, 123], sumLayer],
  ["output y[t] = f[t](x[t], 5)", [51, 512, 5123], sumLayer],
  ["output y[t] = f[t](start: 5, x: x[t])", [51, 512, 5123], sumLayer],
  ["output y[t] = f[-t](x[t])", [321, 32, 3], sumLayer],
  ["output y[t] = f[-t](x[t-1])", [210, 21, 2], sumLayer],
  ["output y[t] = f[t](x[t]) + f[-t](x[t])", [322, 44, 126], sumLayer],
  ["output y[t] = f[-t](x[t])", [132, 131, 130], positions],
  ["output y[t] = f[-t](x[t])", [82, 13, 27], bothSides],
  ["h[t] = f[t](x[t])\n  h[t<0] = 4\n  output y[t] = h[t]", [41, 412, 4123], sumLayer],
  ["h[t] = f[t](x[t], 5)\n  h[t<0] = 4\n  output y[t] = h[t-1]", [4, 41, 412], sumLayer],
  ["h[t] = f[t](x[t], 5)\n  output y[t] = h[t-1]", [5, 51, 512], sumLayer],
  ["h[t] = f[-t](x[t])\n  h[t>last] = 4\n  output y[t] = h[t+1]", [432, 43, 4], sumLayer],
  ["h[t] = dropout(f[t](x[t], 5), 0.5)\n  h[t<0] = 4\n  output y[t] = h[t-1]", [4, 51, 512], sumLayer],
  [
    "(h[t], c[t]) = f[t](x[t])\n  h[t<0] = 1\n  c[t<0] = 2\n  output y[t] = h[t] + c[t-1]",
    [15, 138, 1363],
    twoStates,
  ],
  ["h[t] = f[t](x[t])\n  output y[t] = h[t]", [1, 13, 136], twoStates],
  ["(h[t], c[t]) = f[t](x[t])\n  output y[t] = c[t]", [1, 3, 6], twoStates],
  ["output y[t] = identity(f[t](x[t]))", [1, 13, 136], twoStates],
  ["output y[a,b] = f[b](q[a,b])", [1, 12, 3, 34], sumLayer],
  ["output y[a,b] = f[-a](q[a,b])", [31, 42, 3, 4], sumLayer],
  ["share g = f(5)\n  output y[t] = g[t](x[t]) + g[-t](x[t])", [51 + 5321, 512 + 532, 5123 + 53], sumLayer],
  ["output y[t] = apply(x[t], square)", [1, 4, 9], "layer apply(x: real, g: function) -> y {\n  y = g(x)\n}"],
  [
    "output y[t] = apply(x[t])",
    [Math.tanh(1), Math.tanh(2), Math.tanh(3)],
    "layer apply(x: real, g: function = tanh) -> y {\n  y = g(x)\n}",
  ],
  [
    "output y[t] = apply(x[t], twice)",
    [2, 4, 6],
    "layer twice(x: real) -> y {\n  y = 2 * x\n}\nlayer apply(x: real, g: function) -> y {\n  y = g(x)\n}",
  ],
  [
    "output y[t] = pick(x[t], first: true)",
    [1, 2, 3],
    "layer pick(x: real, first: bool = false) -> y {\n  y = where(first, x, -x)\n}",
  ],
  [
    "output y[t] = pick(x[t])",
    [-1, -2, -3],
    "layer pick(x: real, first: bool = false) -> y {\n  y = where(first, x, -x)\n}",
  ],
  [
    "output y[t] = sum(tie(v[t], u))",
    [21, 43, 65],
    "layer tie(x: real[n], w: real[n]) -> y {\n  y = x * w\n}",
  ],
  [
    "output y[t] = real(pad(v[t]))",
    [2, 2, 2],
    "layer pad(x: real[n]) -> y {\n  y = sum(ones(n)) + 0 * sum(x)\n}",
  ],
]);

gives("shapes and functions", [
  ["output y[t] = v[t] @ W", [9, 12, 15, 19, 26, 33, 29, 40, 51]],
  ["output y = u @ W", [41, 52, 63]],
  ["output y = W @ (u @ W)", [41 + 104 + 189, 164 + 260 + 378]],
  ["output y[t] = v[t] * u + 1", [2, 21, 4, 41, 6, 61]],
  ["output y = transpose(W) * u", [1, 40, 2, 50, 3, 60]],
  ["output y = reshape(W, 3, 2)", [1, 2, 3, 4, 5, 6]],
  ["output y = slice(W, 1, 2)", [2, 3, 5, 6]],
  ["output y[t] = concat(x[t], v[t], 0)", [1, 1, 2, 0, 2, 3, 4, 0, 3, 5, 6, 0]],
  ["(a[t], b[t]) = split(v[t], 2)\n  output y[t] = a[t] - 10 * b[t]", [-19, -37, -55]],
  ["output y = outer(u, u)", [1, 10, 10, 100]],
  ["output y[t] = gather(transpose(W), i[t])", [3, 6, 1, 4, 2, 5]],
  ["output y[t] = oneHot(i[t])", [0, 0, 1, 1, 0, 0, 0, 1, 0]],
  ["output y[t] = real(argmax(v[t] * -u))", [0, 0, 0]],
  ["output y[t] = max(v[t])", [2, 4, 6]],
  ["output y[t] = max(v[t], 4)", [4, 4, 4, 4, 5, 6]],
  ["output y = max[t](v[t])", [5, 6]],
  ["output y = min[t](x[t]) + mean[t](x[t]) + sum[t](x[t])", 9],
  ["output y = mean[t](x[t] > 1)", 2 / 3],
  ["output y[t] = sum(v[t])", [3, 7, 11]],
  ["output y[t] = real(length(t) - 1 - index(t)) * x[t]", [2, 2, 0]],
  ["output y[t] = softmax[t](0 * x[t])", [1 / 3, 1 / 3, 1 / 3]],
  ["output y[t] = where(index(t) == 1, x[t], stopGradient(-x[t]))", [-1, 2, -3]],
  ["output y[t] = real(x[t] > 1) + 1", [1, 2, 2]],
]);

gives("static axes", [
  ["axis k = 0..2\n  output y[t] = sum[k](x[t-k])", [1, 3, 6]],
  ["axis k = 1..n-1\n  output y[t] = sum[k](real(index(k)) * x[t-2*k+1])", [0, 1, 2]],
  ["axis k = -1..1\n  output y[t] = sum[k](x[t+k])", [3, 6, 5]],
  ["axis k = 0..1\n  z[t,k] = x[t-k]\n  output y[t] = flatten[k](z[t,k])", [1, 0, 2, 1, 3, 2]],
  [
    "axis l = 1..3\n  h[t,l] = 10 * h[t,l-1] + real(index(l))\n  h[t,l<0] = x[t]\n  output y[t] = h[t,last]",
    [1123, 2123, 3123],
  ],
  ["axis k = 0..1\n  param P[k]: real\n  output y[t] = sum[k](P[k] * x[t-k])", [1, 12, 23]],
]);

test("imports bring layers under their own or another name", () => {
  const text = `import { scale, scale as grow } from "./scale.frond"
${modelOf("output y[t] = scale(x[t], 2) + grow(x[t], by: 10)")}`;
  expect(outputsOf(text)).toEqual({ y: [12, 24, 36] });
});

/** Codes of what is said of a program, warnings included. */
const codesOf = (text: string): readonly string[] =>
  checkSource({ name: "m.frond", text }, { readImport }).map(({ code }) => code);

type Refusals = readonly (readonly [body: string, codes: readonly string[], layers?: string])[];

/** Bodies of models with all that is said of them. */
function says(title: string, rows: Refusals): void {
  describe(title, () => {
    test.each(rows.map(([body, codes, layers]) => ({ body, codes, layers })))("$body", row => {
      const { body, codes, layers } = row;
      const found = codesOf(modelOf(body, layers).replace(/\(n: size.*\) \{/, "{"));
      expect(found).toEqual(codes);
    });
  });
}

const y = "output y[t] = x[t]";

says("refused: text", [
  ["output y[t] = tanh (x[t])", ["F0011"]],
  ["output y[t] = x [t]", ["F0011"]],
  ["output y[t] = f()(x[t])", ["F0012"]],
  ["output y[t] = x[t].c", ["F0013"]],
  ["output y[t] = 0 < x[t] < 2", ["F0014"]],
  ["output y[t] = x[t] * v[t] @ W", ["F0015"]],
  ["output y[t] = x[t] y[t]", ["F0030"]],
  ["output y[t] = f(n = 3)", ["F0010"]],
  [`a = 1 b = 2\n  ${y}`, ["F0021"]],
  [`output y[t] = (x[t], x[t])`, ["F0029"]],
  ["output y[t] = sum[k = 0..2](x[t-k])", ["F0033"]],
  [`not = 3\n  ${y}`, ["F0020"]],
  ["output y[t] = x[]", ["F0028"]],
]);

says("refused: names", [
  ["output y[t] = z[t]", ["F0101"]],
  [`h[t] = x[t]\n  h[t] = x[t]\n  output y[t] = h[t]`, ["F0102"]],
  ["output y[t] = f(x[t])", ["F0103"], "layer f(x: real) -> y {\n  y = f(x)\n}"],
  [
    "output y[t] = f(x[t])",
    ["F0103"],
    "layer f(x: real) -> y {\n  y = g(x)\n}\nlayer g(x: real) -> y {\n  y = f(x)\n}",
  ],
  [`tanh = 3\n  output y[t] = tanh(x[t])`, ["F0110"]],
  [`tanh = 3\n  output y[t] = tanh * x[t]`, []],
  [`h[t] = x[t]\n  ${y}`, ["F0108"]],
  [`(h[t], c[t]) = lstm[t](v[t], 2)\n  output y[t] = h[t]`, []],
  [`(h[t], c[t]) = lstm[t](v[t], 2)\n  ${y}`, ["F0108", "F0108"]],
  ["output y[t] = x[t] + dense", ["F0109"]],
  ["last = 3\n  output y[t] = x[last] + last + 0 * x[t]", []],
]);

says("refused: axes and indices", [
  ["output y = x[t]", ["F0201"]],
  ["output y[t] = sum[s](x[t])", ["F0202"]],
  ["output y[t] = x", ["F0203"]],
  ["output y[t] = x[t,t]", ["F0204"]],
  ["output y[a,b] = q[b,a]", ["F0205", "F0108"].slice(0, 1)],
  ["output y[t] = x[t] * t", ["F0206"]],
  ["output y[t] = x[t] + sum[t](rateOf())", ["F0104"]],
  ["s = 2 * sum[t](x[t])\n  output y[t] = x[t] + sum[t](s)", ["F0207"]],
  ["h[t] = 2\n  output y[t] = h[t] * x[t]", ["F0208"]],
  ["output y[t] = x[2*t]", ["F0209"]],
  ["output y = x[first-1]", ["F0209"]],
  ["output y[t] = x[-t]", ["F0217"]],
  ["output y[t] = lstm(v[t], 2)", ["F0218"]],
  ["output y[t] = lstm[t,t](v[t], 2)", ["F0218"]],
  ["output y[t] = tanh[t](x[t])", ["F0224"]],
  ["h[t+1] = f[t](x[t])\n  output y[t] = h[t]", ["F0222"], sumLayer],
  ["h[t+1] = softmax[t](x[t])\n  output y[t] = h[t]", ["F0222"]],
  ["axis w = t / 2\n  output y[t] = x[t]", ["F0219"]],
]);

says("refused: boundaries", [
  ["h[t] = h[t-1] + x[t]\n  h[t>last] = 1\n  output y[t] = h[t]", ["F0212"]],
  ["h[t] = h[t-1] + x[t]\n  h[t<0] = 1\n  h[t<0] = 2\n  output y[t] = h[t]", ["F0213"]],
  ["h[t] = h[t-1] + x[t]\n  h[t<0] = x[t]\n  output y[t] = h[t]", ["F0214"]],
  ["h[t] = h[t-1] + v[t]\n  h[t<0] = ones(3)\n  output y[t] = h[t]", ["F0317"]],
  ["h[t] = h[t-1] + x[t]\n  h[0] = 1\n  output y[t] = h[t]", ["F0216"]],
  ["h[t] = h[t-1] + x[t]\n  h[t<1] = 1\n  output y[t] = h[t]", ["F0216"]],
  ["x[t<0] = 1\n  output y[t] = x[t-1]", ["F0215"]],
  ["h[t] = f[t](x[t])\n  h[t>last] = 1\n  output y[t] = h[t]", ["F0212"], sumLayer],
  ["h[t] = f[-t](x[t])\n  h[t<0] = 1\n  output y[t] = h[t]", ["F0212"], sumLayer],
  ["h[t] = identity(f[t](x[t]))\n  h[t<0] = 1\n  output y[t] = h[t]", ["F0212"], sumLayer],
  ["h[a,b] = q[a,b] + h[a-1,b-1]\n  h[a<0,b] = 1\n  output y[a,b] = h[a,b]", ["F0716"]],
]);

says("refused: shapes and kinds", [
  ["output y[t] = v[t] + W", ["F0301"]],
  ["output y[t] = u + slice(u, 0, 1) + x[t]", ["F0301"]],
  ["output y[t] = x[t] @ u", ["F0302"]],
  ["h[t] = x[t] @ u\n  g[t] = softmax(h[t])\n  output y[t] = dense(g[t], 3) + h[t]", ["F0302"]],
  ["output y[t] = dense(x[t], 3)", ["F0303"]],
  ["h[t] = tanh(h[t-1])\n  output y[t] = h[t] + x[t]", ["F0305"]],
  ["(a[t], b[t]) = split(x[t], 2)\n  output y[t] = a[t] + b[t]", ["F0308"]],
  ["(a[t], b[t], c[t]) = split(v[t], 2)\n  output y[t] = a[t] + b[t] + c[t]", ["F0410"]],
  ["output y[t] = x[t] * i[t]", ["F0408"]],
  ["output y[t] = x[t] + (x[t] > 0)", ["F0407"]],
  ["output y[t] = where(x[t], 1, 0)", ["F0409"]],
  ["output y[t] = i[t] / 2", ["F0409"]],
  ["output y[t] = gather(u, i[t])", ["F0314"]],
  ["output y[t] = lstm[t](v[t])", ["F0402"]],
  ["output y[t] = lstm[t](v[t], 2, 3, 4)", ["F0401"]],
  ["output y[t] = lstm[t](v[t], units: 2, size: 3)", ["F0403"]],
  ["output y[t] = lstm[t](v[t], 2, units: 2)", ["F0404"]],
  ["output y[t] = lstm[t](x: v[t], 2)", ["F0405"]],
  ["output y[t] = dropout(x[t], x[t])", ["F0413"]],
  [
    "output y[t] = f(v[t], v[t])",
    ["F0701"],
    "layer f(x: real[n], z: real[m]) -> y {\n  y = x + concat(z, z)\n}",
  ],
]);

says("refused: recurrences", [
  ["h[t] = h[t] + x[t]\n  output y[t] = h[t]", ["F0501"]],
  ["h[t] = g[t] + x[t]\n  g[t] = 2 * h[t]\n  output y[t] = h[t]", ["F0501"]],
  ["h[t] = h[t-1] + h[t+1] + x[t]\n  output y[t] = h[t]", ["F0502"]],
  ["h[t] = mean[t](h[t]) + x[t]\n  output y[t] = h[t]", ["F0503"]],
  ["h[t] = h[last] + x[t]\n  output y[t] = h[t]", ["F0503"]],
  ["h[t] = 0.5 * mean[t](h[t-1]) + x[t]\n  output y[t] = h[t]", ["F0503"]],
  ["h[a,b] = h[a-1,b+1] + h[a+1,b-1] + q[a,b]\n  output y[a,b] = h[a,b]", ["F0504"]],
  ["h[a,b] = h[a-1,b+1] + h[a,b-1] + q[a,b]\n  output y[a,b] = h[a,b]", []],
  ["h[t] = f[t](g[t])\n  g[t] = x[t] + h[t]\n  output y[t] = h[t]", ["F0501"], sumLayer],
  ["h[t] = f[t](g[t])\n  g[t] = x[t] + h[t-1]\n  output y[t] = h[t]", [], sumLayer],
]);

says("refused: models", [
  ["h[t] = x[t]", ["F0601"]],
  ["loss = sum[t](v[t])", ["F0602"]],
  [`${y}\n  train { epochs: 2 }`, ["F0610"]],
  [`loss = mean[t](x[t])\n  train { epoch: 2 }`, ["F0604"]],
  [`loss = mean[t](x[t])\n  train { epochs: 0 }`, ["F0605"]],
  [`loss = mean[t](x[t])\n  train { optimizer: adam(beta1: 1) }`, ["F0720"]],
  [`param P[t]: real\n  output y[t] = x[t] + P[t]`, ["F0606"]],
  ["output y[t] = x[t] - microMean[t](x[t])", ["F0613"]],
  ["loss = microMean[t](x[t]) + 1", ["F0613"]],
  ["generate i[t] = i[t-1]\n  output y[t] = real(i[t])", ["F0611"]],
  ["generate i[t+1] = x[t]\n  output y[t] = real(i[t])", ["F0612"]],
  ["generate i[t+1] = i[t] until i[t+1]\n  output y[t] = real(i[t])", ["F0615"]],
]);

test("parameters are named by the equations that use them", () => {
  const names = (body: string, layers = ""): readonly string[] => {
    const { model } = compileModel({ name: "m.frond", text: modelOf(body, layers) });
    return model!.lowered("train").parameters.map(({ name }) => name);
  };
  const cell =
    "layer cell[t](x[t]: real[2]) -> h[t] {\n  param W: real[2, 2]\n  h[t] = x[t] @ W + dense(h[t-1], 2)\n}";
  expect(names("h[t] = cell[t](v[t])\n  output y[t] = h[t]", cell)).toEqual([
    "h.W",
    "h.h.dense.W",
    "h.h.dense.b",
  ]);
  expect(names("output y[t] = tanh(cell[t](v[t])) + cell[-t](v[t])", cell)).toEqual([
    "y.cell.W",
    "y.cell2.W",
    "y.cell.h.dense.W",
    "y.cell.h.dense.b",
    "y.cell2.h.dense.W",
    "y.cell2.h.dense.b",
  ]);
  expect(names("share f = cell()\n  output y[t] = f[t](v[t]) + f[-t](v[t])", cell)).toEqual([
    "f.W",
    "f.h.dense.W",
    "f.h.dense.b",
  ]);
});

test("layers that nothing uses have an order too", () => {
  const layer = (right: string): string =>
    `layer f[t](x[t]: real[n], k: number, deep: bool) -> h[t] {\n  h[t] = k * x[t] + where(deep, x[t], ${right})\n}\n`;
  expect(codesOf(layer("h[t-1]"))).toEqual([]);
  expect(codesOf(layer("h[t-1] + h[t+1]"))).toEqual(["F0502"]);
  expect(codesOf(layer("mean[t](h[t-1])"))).toEqual(["F0503"]);
});
