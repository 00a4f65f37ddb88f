// Frames in odd places: tabs, wide characters, long lines, several lines, several files.

import { expect, test } from "vitest";
import type { Diagnostic, Note, Source } from "../../compiler/diagnostics/diagnostic.ts";
import { render } from "../../compiler/diagnostics/render.ts";
import { report } from "../../compiler/diagnostics/report.ts";

const source = (text: string, name = "a.frond"): Source => ({ name, text });

function at(from: Source, word: string, nth = 0) {
  let start = -1;
  for (let i = 0; i <= nth; i++) start = from.text.indexOf(word, start + 1);
  return { source: from, start, end: start + word.length };
}

function shown(diagnostic: Diagnostic): string {
  return render([diagnostic], { color: false });
}

function unexpected(from: Source, word: string, notes: readonly Note[] = [], label = "here"): Diagnostic {
  return report("F0001", { found: word }, at(from, word), { label, notes });
}

test("tabs are spaces up to the next column of four", () => {
  expect(shown(unexpected(source("\ta\tb = c"), "b"))).toBe(
    "error[F0001]: unexpected b\n --> a.frond:1:4\n  |\n1 |     a   b = c\n  |         ^ here\n\n",
  );
});

test("wide characters take two columns, combining marks none", () => {
  const lines = shown(unexpected(source("名前 + h\u0303 = q"), "q")).split("\n");
  expect(lines[1]).toBe(" --> a.frond:1:11");
  expect(lines[4]).toBe(`  | ${" ".repeat("名前".length * 2 + " + h = ".length)}^ here`);
});

test("controls and marks that turn the direction of writing are not passed on", () => {
  const frame = shown(unexpected(source("a\u001b[31m\u202Eb"), "b"));
  for (const hidden of ["\u001b", "\u202E"]) expect(frame).not.toContain(hidden);
});

test("long lines are cut around the span", () => {
  const lines = shown(unexpected(source(`${"x + ".repeat(100)}bad${" + x".repeat(100)}`), "bad")).split("\n");
  for (const line of lines) expect(line.length).toBeLessThan(120);
  const column = lines[4]!.indexOf("^^^");
  expect(lines[3]!.slice(column, column + 3)).toBe("bad");
  expect(lines[3]).toMatch(/^1 \| ….*…$/);
});

test("a span over several lines", () => {
  const text = source("a = f(\n  x,\n  y,\n  z\n)\nb = 1");
  const span = { source: text, start: 4, end: text.text.indexOf(")") + 1 };
  expect(shown(report("F0001", { found: "f" }, span, { label: "all this" }))).toBe(
    `error[F0001]: unexpected f
 --> a.frond:1:5
  |
1 | a = f(
  |     ^^
...
5 | )
  | ^ all this

`,
  );
});

test("notes in the same file share the frame, others have their own", () => {
  const [main, other] = [source("a = b\n\n\n\nc = b + b\n"), source("layer b\n", "lib.frond")];
  const notes = [
    { span: at(main, "a"), text: "first" },
    { span: at(main, "c"), text: "left" },
    { span: at(other, "b"), text: "declared" },
  ];
  expect(
    shown(report("F0001", { found: "b" }, at(main, "b", 2), { label: "here", notes, help: ["one", "two"] })),
  ).toBe(
    `error[F0001]: unexpected b
 --> a.frond:5:9
  |
1 | a = b
  | - first
...
5 | c = b + b
  | -       ^ here
  | |
  | left
 ::: lib.frond:1:7
  |
1 | layer b
  |       - declared
  |
help: one
help: two

`,
  );
});

test("marks that overlap have rows of their own", () => {
  const text = source("a + b");
  const span = { source: text, start: 0, end: 5 };
  expect(
    shown(
      report("F0001", { found: "b" }, span, { label: "all", notes: [{ span: at(text, "b"), text: "b" }] }),
    ),
  ).toBe("error[F0001]: unexpected b\n --> a.frond:1:1\n  |\n1 | a + b\n  | ^^^^^ all\n  |     - b\n\n");
});

test("an empty span at the end of an empty text", () => {
  const span = { source: source(""), start: 0, end: 0 };
  expect(shown(report("F0001", { found: "end" }, span))).toContain("1 |\n  | ^");
});

test("no span, no frame", () => {
  expect(shown(report("F0001", { found: "x" }, null, { help: ["one"] }))).toBe(
    "error[F0001]: unexpected x\nhelp: one\n\n",
  );
});

test("colours are codes around the same text", () => {
  const diagnostic = unexpected(source("a = b"), "b");
  const colored = render([diagnostic], { color: true });
  expect(colored).toContain("\u001b[1;31merror[F0001]\u001b[0m");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the codes are what is looked for
  expect(colored.replaceAll(/\u001b\[[0-9;]*m/g, "")).toBe(shown(diagnostic));
});
