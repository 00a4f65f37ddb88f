// Several errors in one run: what is reported, where, and what is still parsed. Fixtures: NAME.frond with its pinned
// report NAME.txt (FROND_UPDATE=1 rewrites).

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { render } from "../../compiler/diagnostics/render.ts";
import { parse } from "../../compiler/syntax/parse.ts";
import { timed } from "./trees.ts";

const folder = new URL("./fixtures/", import.meta.url);
const fixtures = readdirSync(folder).filter(name => name.endsWith(".frond"));

test.each(fixtures)("%s", name => {
  const text = readFileSync(new URL(name, folder), "utf8");
  const report = render(parse({ name, text }).diagnostics, { color: false });
  const pinned = new URL(name.replace(".frond", ".txt"), folder);
  if (process.env.FROND_UPDATE === "1") writeFileSync(pinned, report);
  else expect(report).toBe(readFileSync(pinned, "utf8"));
});

/** Code and line (from 1) of each diagnostic. */
function reported(text: string): readonly string[] {
  return parse({ name: "t.frond", text }).diagnostics.map(({ code, span }) => {
    return `${code}:${text.slice(0, span?.start).split("\n").length}`;
  });
}

const mistakes = [
  ["tanh (x[t])", "F0011"],
  ["x[t] ** 2", "F0018"],
  ["lstm[t](x[t]).c", "F0013"],
  ["x[t] +", "F0017"],
  ["f(x[t]", "F0004"],
  ["f(x[t]))", "F0005"],
  ["f(x[t], n = 3)", "F0010"],
  ["0 < x[t] < 1", "F0014"],
  ["a * b @ W", "F0015"],
  ["f(x[t] 3)", "F0009"],
  ["2 x[t]", "F0030"],
  ["x[]", "F0028"],
] as const;

describe("mistakes on neighbouring lines are found one by one", () => {
  const lines = mistakes.map(([value], i) => `  a${i}[t] = ${value}`);
  const expected = (first: number, step: number) =>
    mistakes.map(([, code], i) => `${code}:${first + i * step}`);

  test("all bad", () => {
    expect(reported(`model M {\n${lines.join("\n")}\n}\n`)).toEqual(expected(2, 1));
  });

  test("good lines between are kept", () => {
    const text = `model M {\n${lines.map((line, i) => `${line}\n  b${i}[t] = x[t]`).join("\n")}\n}\n`;
    expect(reported(text)).toEqual(expected(2, 2));
    const names = parse({ name: "t.frond", text }).file.definitions[0]?.body.flatMap(statement =>
      statement.kind === "equation" ? statement.targets.map(target => target.name.name) : [],
    );
    // Comparison chains and mixtures are trees all the same.
    const kept = ["a7", "a8", ...mistakes.map((_, i) => `b${i}`)];
    expect(names?.toSorted()).toEqual(kept.toSorted());
  });

  test("lines that do not look like statements", () => {
    const text =
      "model M {\n  a[t] = b c\n  return x\n  foo(x)\n  if x { y }\n  d[t] : real = 3\n  e[t] = 1\n}\n";
    expect(reported(text)).toEqual(["F0030:2", "F0019:3", "F0016:4", "F0019:5", "F0016:6"]);
  });

  test("Windows line ends and a byte order mark", () => {
    const text = `\uFEFFmodel M {\r\n${lines.join("\r\n")}\r\n}\r\n`;
    expect(reported(text)).toEqual(expected(2, 1));
  });
});

test("names that broken text would define are known", () => {
  const text =
    'import b from "x"\nlayer f(x) -> y {\n  y = x\n}\nmodel M {\n  a[t] = b c\n  (d[t], e[t]) = f (x)\n  param W = 3\n}\n';
  const lost = parse({ name: "t.frond", text }).gaps.names;
  for (const name of ["b", "f", "a", "d", "e", "W"]) expect(lost).toContain(name);
  expect(lost).not.toContain("t");
});

describe("texts that are hardly texts", () => {
  const body = (line: string) => `model M {\n  ${line}\n}\n`;
  test.each([
    ["empty", "", 0],
    ["spaces", " \t\r\n\uFEFF", 0],
    ["a comment without a line end", "// nothing", 0],
    ["zero bytes", body("a = \0\0 3"), 1],
    ["a lone surrogate", body("a = \ud800"), 1],
    ["deep parentheses", body(`a = ${"(".repeat(5000)}x${")".repeat(5000)}`), 1],
    ["deep open parentheses", body(`a = ${"(".repeat(5000)}x`), 1],
    ["deep brackets", body(`a = ${"x[".repeat(300)}0${"]".repeat(300)}`), 1],
    ["deep braces", "{".repeat(3000), 1],
    ["many minus signs", body(`a = ${"-".repeat(5000)}x`), 1],
    ["many negations", body(`a = ${"not ".repeat(5000)}x`), 1],
    ["a long sum", body(`a = x${" + x".repeat(3000)}`), 1],
    ["a long power", body(`a = x${" ^ x".repeat(3000)}`), 1],
    ["a file too long to read", body(`a = ${"x".repeat(2 ** 18)}`), 1],
    ["a file of too many words", body(`a = 1\n`.repeat(21_000)), 1],
    ["a line of ten thousand names", body(`(${"n, ".repeat(10_000)}m) = f(x)\n b = x y`), 1],
    ["a header of two thousand arguments", `model M(${"n: size, ".repeat(2000)}) {\n  a = x y\n}`, 1],
    ["a thousand imports", `${'import { a } from "./a.frond"\n'.repeat(1000)}${body("a = x y")}`, 1],
    ["a thousand models without ends", "model M {\n".repeat(1000), 1],
    ["a tall tree", body(`a = ${"(".repeat(45)}x${`${" + x".repeat(100)})`.repeat(45)}`), 1],
  ])("%s", (_, text, atLeast) => {
    let diagnostics: readonly Diagnostic[] = [];
    const milliseconds = timed(() => {
      diagnostics = parse({ name: "t.frond", text }).diagnostics;
    });
    expect(diagnostics.length).toBeGreaterThanOrEqual(atLeast);
    expect(milliseconds).toBeLessThan(1000);
    for (const { span } of diagnostics) expect(span?.end).toBeLessThanOrEqual(text.length);
    render(diagnostics, { color: true });
  });
});
