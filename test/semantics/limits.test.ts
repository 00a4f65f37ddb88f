// Programs of unusual size: each is checked, or refused with a reason, without a deep stack and in about a second of
// processor time.

import { expect, test } from "vitest";
import { checkSource } from "../../compiler/index.ts";
import { timed } from "../syntax/trees.ts";

const list = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join("");
const model = (body: string, uses = ""): string =>
  `${uses}model M {\n  axis t\n  input x[t]: real[4]\n${body}\n}\n`;
const output = (right: string): string => `  output y[t] = ${right}`;
const layer = (name: string, right: string, more = ""): string =>
  `layer ${name}(x: real[n]${more}) -> y {\n  y = ${right}\n}\n`;
const withFunction = ", f: function = tanh";

const programs: readonly (readonly [what: string, text: string, codes: readonly string[]])[] = [
  [
    "a chain of equations",
    model(`  h0[t] = x[t]\n${list(1500, i => `  h${i + 1}[t] = h${i}[t] + x[t]\n`)}${output("h1500[t]")}`),
    [],
  ],
  [
    "many recurrences",
    model(
      `${list(500, i => `  h${i}[t] = 0.5 * h${i}[t-1] + x[t]\n`)}${output(list(200, i => `${i === 0 ? "" : " + "}h${i}[t]`))}`,
    ),
    ["F0108"],
  ],
  [
    "a ring of recurrences",
    model(`${list(500, i => `  h${i}[t] = h${(i + 1) % 500}[t-1] + x[t]\n`)}${output("h0[t]")}`),
    [],
  ],
  [
    "a circle of equations",
    model(`${list(500, i => `  h${i}[t] = h${(i + 1) % 500}[t] + x[t]\n`)}${output("h0[t]")}`),
    ["F0501"],
  ],
  [
    "shapes that grow",
    model(`${list(100, i => `  h${i}[t] = concat(h${(i + 1) % 100}[t-1], x[t])\n`)}${output("h0[t]")}`),
    ["F0315"],
  ],
  [
    "a chain of layers",
    model(output("l999(x[t])"), layer("l0", "tanh(x)") + list(999, i => layer(`l${i + 1}`, `l${i}(x)`))),
    [],
  ],
  [
    "a ring of layers",
    model(
      output("l0(x[t])"),
      list(1000, i => layer(`l${i}`, `l${(i + 1) % 1000}(x)`)),
    ),
    ["F0103"],
  ],
  [
    "layers that double",
    model(output("l20(x[t])"), layer("l0", "tanh(x)") + list(20, i => layer(`l${i + 1}`, `l${i}(l${i}(x))`))),
    ["F0713"],
  ],
  [
    "functions handed on and on",
    model(
      output("l40(x[t], f: relu)"),
      layer("l0", "f(x)", withFunction) +
        list(40, i => layer(`l${i + 1}`, `l${i}(f(x), f: f)`, withFunction)),
    ),
    ["F0419"],
  ],
  [
    "deep calls in layers with functions",
    model(
      output("l8(x[t], f: relu)"),
      layer("l0", "f(x)", withFunction) +
        list(8, i =>
          layer(`l${i + 1}`, `${"tanh(-".repeat(45)}l${i}(f(x), f: f)${")".repeat(45)}`, withFunction),
        ),
    ),
    [],
  ],
  ["a call of many arguments", model(output(`concat(${list(5000, () => "x[t], ")})`)), []],
  [
    "static axes of great length",
    model(`  axis k = 0..60000\n  axis l = 0..60000\n${output("sum[k,l](x[t-k-l])")}`),
    ["F0713"],
  ],
  [
    "a size of many terms",
    "model M(n: size = 4) {\n  input x: real[(n+1)^16*(n+2)^16*(n+3)^16]\n  output y = x\n}\n",
    ["F0313"],
  ],
];

test.each(programs)("%s", (_, text, codes) => {
  let found: readonly string[] = [];
  const milliseconds = timed(() => {
    found = checkSource({ name: "m.frond", text }).map(({ code }) => code);
  });
  expect([...new Set(found)]).toEqual(codes);
  expect(milliseconds).toBeLessThan(2500);
});

test("imports of imports of imports", () => {
  const readImport = (path: string) => {
    const at = Number(/\d+/.exec(path)?.[0]);
    return { name: `f${at}.frond`, text: `import { a } from "./f${at + 1}.frond"\n${layer("b", "a(x)")}` };
  };
  const text = `import { b } from "./f0.frond"\n${model(output("b(x[t])"))}`;
  const codes = checkSource({ name: "m.frond", text }, { readImport }).map(({ code }) => code);
  expect(codes).toContain("F0113");
});
