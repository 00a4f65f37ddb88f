// How expressions are grouped: each text with its tree, written with a pair of parentheses for each operation.

import { expect, test } from "vitest";
import type { Expression } from "../../compiler/syntax/ast.ts";
import { parse } from "../../compiler/syntax/parse.ts";
import { unreachable } from "../../compiler/unreachable.ts";

function group(expression: Expression): string {
  switch (expression.kind) {
    case "number":
    case "bool":
      return String(expression.value);
    case "name":
      return (
        expression.name.name +
        (expression.indices === null ? "" : `[${expression.indices.map(group).join()}]`)
      );
    case "call": {
      const axes = expression.axes === null ? "" : `[${expression.axes.map(group).join()}]`;
      const args = expression.args.map(
        ({ label, value }) => (label === null ? "" : `${label.name}: `) + group(value),
      );
      return `${expression.callee.name}${axes}(${args.join()})`;
    }
    case "unary":
      return `(${expression.operator} ${group(expression.operand)})`;
    case "binary":
      return `(${group(expression.left)} ${expression.operator} ${group(expression.right)})`;
    case "error":
      return "?";
    default:
      return unreachable(expression);
  }
}

function read(text: string): { readonly tree: string; readonly codes: readonly string[] } {
  const { file, diagnostics } = parse({ name: "t.frond", text: `model M {\n  a = ${text}\n}\n` });
  const [statement] = file.definitions[0]?.body ?? [];
  const tree = statement?.kind === "equation" ? group(statement.value) : "";
  return { tree, codes: diagnostics.map(diagnostic => diagnostic.code) };
}

test.each([
  ["a or b and c", "(a or (b and c))"],
  ["not a and b", "((not a) and b)"],
  ["not a == b", "(not (a == b))"],
  ["not not a", "(not (not a))"],
  ["a and not b or c", "((a and (not b)) or c)"],
  ["a + b < c * d", "((a + b) < (c * d))"],
  ["a - b - c", "((a - b) - c)"],
  ["a / b * c", "((a / b) * c)"],
  ["a @ W @ V", "((a @ W) @ V)"],
  ["a @ W * b", "((a @ W) * b)"],
  ["x[t] @ W + h[t-1] @ U + b", "(((x[t] @ W) + (h[(t - 1)] @ U)) + b)"],
  ["-a @ W", "((- a) @ W)"],
  ["-a ^ 2", "(- (a ^ 2))"],
  ["a ^ -b ^ c", "(a ^ (- (b ^ c)))"],
  ["a ^ b ^ c", "(a ^ (b ^ c))"],
  ["a * -b", "(a * (- b))"],
  ["--a", "(- (- a))"],
  ["a<-b", "(a < (- b))"],
  ["(a + b) * c", "((a + b) * c)"],
  ["(a * b) @ W", "((a * b) @ W)"],
  ["a * (b @ W)", "(a * (b @ W))"],
  ["a · W ⊙ b − c ⋅ d", "(((a @ W) * b) - (c @ d))"],
  ["a ≤ b and c ≥ d and e ≠ f", "(((a <= b) and (c >= d)) and (e != f))"],
  ["a\n    + b\n    or c", "((a + b) or c)"],
  ["a +\n b", "(a + b)"],
  ["order + notable + android", "((order + notable) + android)"],
  ["f[t, -s](x[t], n: 3,)", "f[t,(- s)](x[t],n: 3)"],
  [".5 + 1e-3 + 2.5E+2", "((0.5 + 0.001) + 250)"],
  ["true == false", "(true == false)"],
  ["x[last - 1, first]", "x[(last - 1),first]"],
  ["h̃[t] * σ(x) * hₜ", `((${"h̃".normalize("NFC")}[t] * σ(x)) * hₜ)`],
])("%s", (text, tree) => {
  expect(read(text)).toEqual({ tree, codes: [] });
});

test.each([
  ["a * b @ W", ["F0015"]],
  ["a / b @ W @ V", ["F0015"]],
  ["c + a * -b @ W", ["F0015"]],
  ["a @ V * b @ W", ["F0015"]],
  ["a < b < c", ["F0014"]],
  ["a == b != c <= d", ["F0014", "F0014"]],
  ["a + not b", ["F0036"]],
  ["- not b", ["F0036"]],
  ["a ^ not b", ["F0036"]],
])("%s is refused", (text, codes) => {
  expect(read(text).codes).toEqual(codes);
});

test("both readings of a mixture are shown", () => {
  const [diagnostic] = parse({
    name: "t.frond",
    text: "model M {\n  a = x + r[t] *  h[t-1] @ U\n}\n",
  }).diagnostics;
  expect(diagnostic?.help.join()).toContain("`(r[t] * h[t-1]) @ U`");
  expect(diagnostic?.help.join()).toContain("`r[t] * (h[t-1] @ U)`");
});
