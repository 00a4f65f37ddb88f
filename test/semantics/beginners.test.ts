// Mistakes that newcomers make, each in one line of an otherwise sound model: what is said is one error with the right
// help. And one mistake gives one message: what depends on it is left alone.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { checkSource, render } from "../../compiler/index.ts";

const inModel = (line: string): string => `model M(d: size = 4, units: size = 8) {
  axis t
  input x[t]: real[d]
  target y[t]: index(3)
  ${line}
  output z[t] = dense(x[t], 3)
}
`;

const errorsIn = (text: string): readonly Diagnostic[] =>
  checkSource({ name: "m.frond", text }).filter(({ severity }) => severity === "error");

/** What stands on the line, the code, and what the help says (all of it that matters). */
const mistakes: readonly (readonly [line: string, code: string, help: string])[] = [
  ["h[t] = tanh(x)", "F0203", "write `x[t]`"],
  ["h = lstm[t](x[t], 8)", "F0201", "write `h[t] = ..`"],
  ["h[t] == tanh(x[t])", "F0016", "written with one `=`"],
  ["h[t] = where(y[t] = 1, x[t], 0)", "F0010", "tested with `==`"],
  ["h[t] = dense(x[t], n = 4)", "F0010", "`name: value`"],
  ["h[t] = x[t]**2", "F0018", "`a ^ b`"],
  ["h[t] += x[t]", "F0018", "`name[t-1]`"],
  ["h[t] = x[t] > 0 ? x[t] : 0", "F0018", "`where(condition, a, b)`"],
  ["h[t] = x[t, :]", "F0001", "brackets hold axes only"],
  ["h[t] = x[:, 0]", "F0001", "brackets hold axes only"],
  ["h[t] = x[t, 0]", "F0204", "brackets hold axes only"],
  ["h[t] = x[t][0]", "F0012", "brackets hold axes only"],
  ["h = x[0]", "F0209", "the first step is `first`"],
  ["h = x[-1]", "F0209", "the last step is `last`"],
  ["h = x[-3]", "F0209", "it is `last-2`"],
  ["h = x[end]", "F0202", "`first`, `last`"],
  ["h = x[T]", "F0202", "did you mean `t`?"],
  ["h[t] = x[2*t]", "F0209", "indices are `t`, `t-k`"],
  ["h[t] = x[-t]", "F0217", "`gru[-t](..)`"],
  ["h[t] = lstm[t](x[t] units)", "F0009", ""],
  ["h[t] = LSTM[t](x[t], units)", "F0104", "did you mean `lstm`?"],
  ["h[t] = lstm(x[t], units)", "F0218", "write `lstm[t](..)`"],
  ["h[t] = lstm[t](x[t])", "F0402", ""],
  ["h[t] = linear(x[t], 4)", "F0104", "called `dense`"],
  ["h[t] = bidirectional(lstm[t](x[t], 4))", "F0104", "`f[-t](..)`"],
  ["h = len(t)", "F0104", "`length(t)`"],
  ["h = length(x)", "F0202", "write `length(t)`"],
  ["h[t] = x(t-1)", "F0110", "`x[t-1]`"],
  ["h[t] = softmax[d](x[t])", "F0202", "features need no brackets"],
  ["h = sum(x[t], axis: t)", "F0403", "`sum[t](..)`"],
  ["h = sum[0](x[t])", "F0202", "`sum[t](..)`"],
  ["h = max[t](x[t], 0)", "F0224", "`max(a, b)` works element by element"],
  ["h[t] = e^x[t]", "F0101", "`exp(x)`"],
  ["h[t] = 2 * pi * x[t]", "F0101", "3.14159265"],
  ["h[t] = 2 x[t]", "F0030", "`2 * x`"],
  ["h[t] = x[t] / (index(t) + 1)", "F0408", "write `real(index(t) + 1)`"],
  ["h[t] = where(t == 0, x[t], -x[t])", "F0206", "`index(t)`"],
  ["h[t] = x[t] * (x[t] > 0)", "F0407", "`real(x[t] > 0)`"],
  ["h[t] = where(x[t], 1, 0)", "F0409", "`x[t] > 0`"],
  ["h[t] = x[t] and x[t]", "F0409", "`x[t] > 0`"],
  ["h[t] = 0 < x[t] < 1", "F0014", "write `0 < x[t] and x[t] < 1`"],
  ["h[t] = x[t].shape", "F0013", "where types are declared"],
  ["h[t] = concat([x[t], x[t]])", "F0001", "joined by `concat`"],
  ['h[t] = dense(x[t], 4, activation: "relu")', "F0001", "without quotes"],
  ["h[t] = dense(x[t], 4, activation: relu())", "F0412", "write its name alone"],
  ["h[t] = dense(x[t], units: 4)", "F0403", "it takes `x`, `n`, `activation`"],
  ["h[t] = tanh(x[t])\n  h[0] = zeros(d)", "F0216", "`h[t<0] = ..`"],
  ["h[t] = 0.5 * h[t] + x[t]", "F0501", "did you mean the step before, `h[t-1]`?"],
  ["h[t] = x[t] - mean[t](h[t])", "F0503", "running value"],
  ["loss = crossEntropy(dense(x[t], 3), y[t])", "F0201", "`mean[t](..)`"],
  ["loss = mean(crossEntropy(dense(x[t], 3), y[t]))", "F0201", "`mean[t](..)`"],
  ["loss = mean[t](x[t])", "F0602", "mean over the features"],
  ["loss = mean[t](mse(dense(x[t], 3), y[t]))", "F0303", "`oneHot(y[t])`"],
  ["loss = mean[t](crossEntropy(x[t], x[t]))", "F0303", "`argmax(x[t])`"],
  ["loss = mean[t](mean(x[t]))\n  train { optimizer: adam }", "F0605", "a call, `adam(rate: 1e-3)`"],
  ["param W: real[units, d]\n  h[t] = x[t] @ W", "F0302", "`W @ x[t]`"],
  ["param W: real[d, units]\n  h[t] = tanh(x[t] @ W + h[t-1] @ W)", "F0302", "real[units, units]"],
  ["param W: real[d]\n  h[t] = mean(x[t]) @ W", "F0302", "`mean(x[t]) * W`"],
  ["param W = glorotUniform()", "F0022", "`param W: real[n, m]`"],
  ["param W: real[d, d] = glorot()", "F0608", "`glorotUniform`"],
  ["input q[t]", "F0022", "`input q[t]: real[n]`"],
  ["input q[t]: float32", "F0023", "did you mean `real`?"],
  ["input q[t]: real(4)", "F0001", "`real[n]`"],
  ["input q[t]: index[4]", "F0001", "`index(n)`"],
  ["ouput q[t] = x[t]", "F0016", "did you mean `output`?"],
  ["for t in 0..10 { h[t] = x[t] }", "F0019", "is the loop"],
  ["let h[t] = x[t]", "F0019", "needs no word"],
  ["h[t] = x[t];", "F0002", "no `;` is needed"],
];

test.each(mistakes)("%s", (line, code, help) => {
  const errors = errorsIn(inModel(line));
  expect(errors.map(error => error.code)).toEqual([code]);
  expect(errors[0]!.help.join("\n")).toContain(help);
});

test("Python at the top of a file", () => {
  expect(errorsIn(`def f(x):\n    return x\n\n${inModel("")}`).map(({ code }) => code)).toEqual(["F0019"]);
  expect(errorsIn("class M:\n  x = 3\n").map(({ code }) => code)).toEqual(["F0019"]);
});

/** One place of a valid text changed so that a name, a shape, a kind or a call is wrong. */
const changes: readonly (readonly [what: string, place: RegExp, by: (found: string) => string])[] = [
  ["an index left out", /\b[a-zA-Z]\w*\[[a-z, ]+\](?=[^=\n]*$)/gm, found => found.replace(/\[.*\]/, "")],
  ["a name misspelt", /(?<== .*)\b[a-z]\w*(?=\[)/gm, found => `${found}zz`],
  ["a product", / \* /g, () => " @ "],
  ["an argument left out", /, \w+\)/g, () => ")"],
  ["a function misspelt", /\b[a-z]\w*(?=\()/g, found => `${found}q`],
  ["a foreign operator", / \+ /g, () => " ** "],
  ["a bracket left out", /\)(?=\n)/g, () => ""],
  ["an equation left out", /^ +[a-z(].*=.*\n/gm, () => ""],
];

describe("one mistake gives one message", () => {
  const root = join(import.meta.dirname, "..", "..");
  const language = readFileSync(join(root, "spec", "language.md"), "utf8").replaceAll("\r\n", "\n");
  const programs = [
    ...[...language.matchAll(/^```frond\n(.*?)^```/gms)].map(match => match[1]!),
    readFileSync(join(root, "test", "semantics", "language.frond"), "utf8").replaceAll("\r\n", "\n"),
  ];
  test.each(changes)("%s", (_, place, by) => {
    let mistaken = 0;
    const several: string[] = [];
    for (const program of programs) {
      for (const found of program.matchAll(place)) {
        const at = found.index;
        const text = program.slice(0, at) + by(found[0]) + program.slice(at + found[0].length);
        const errors = errorsIn(text);
        if (errors.length > 0) mistaken += 1;
        // A name that is read in three places may be reported three times, where a declaration was changed.
        if (errors.length > 1) several.push(render(errors, { color: false }));
      }
    }
    expect(mistaken).toBeGreaterThan(3);
    expect(several.length, several.join("\n")).toBeLessThanOrEqual(0.2 * mistaken);
  });
});
