// spec/language.md against the implementation: its examples check and lower without a complaint, and its table of
// functions says what the checker's table says. FROND_UPDATE=1 writes the table.

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { lower } from "../../compiler/lower/lower.ts";
import { builtins, callableNames } from "../../compiler/semantics/builtins.ts";
import type { BuiltinParameter, BuiltinRecord } from "../../compiler/semantics/rules/rule.ts";
import { checkText } from "./check.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const path = join(root, "spec", "language.md");
const text = readFileSync(path, "utf8").replaceAll("\r\n", "\n");

const examples = [...text.matchAll(/^```frond\n(.*?)^```/gms)].map(match => match[1]!);

test("there are examples", () => {
  expect(examples.length).toBeGreaterThan(5);
});

test.each(examples)("example %#", example => {
  const { model, diagnostics } = checkText(example);
  expect(diagnostics.map(({ code, title }) => `${code}: ${title}`)).toEqual([]);
  for (const mode of ["train", "infer"] as const) {
    const result = lower(model!, { sizes: new Map(), mode });
    expect(result.diagnostics).toEqual([]);
    expect(result.lowered?.outputs.length).toBeGreaterThan(0);
  }
});

function showParameter({ name, kind, count, default: otherwise }: BuiltinParameter): string {
  const typed = kind === "value" || kind === "axis" ? name : `${name}: ${kind}`;
  if (otherwise === "later") return `${typed}?`;
  if (otherwise === null) return count === "one" ? typed : `${typed}..`;
  const value = otherwise.kind === "number" || otherwise.kind === "bool" ? otherwise.value : "..";
  return `${typed} = ${value}`;
}

/** Without brackets, with brackets, or both. */
function showFunction(name: (typeof callableNames)[number]): string {
  const { parameters, brackets, doc }: BuiltinRecord = builtins[name];
  const args = `(${parameters.map(showParameter).join(", ")})`;
  const plain = brackets === "mustReduce" ? [] : [`\`${name}${args}\``];
  const bracketed = brackets === "none" ? [] : [`\`${name}[t]${plain.length === 0 ? args : "(..)"}\``];
  return `| ${[...plain, ...bracketed].join(", ")} | ${doc.replaceAll("*", "\\*").replaceAll("|", "\\|")} |`;
}

test("the table of functions is the checker's", () => {
  const [begin, end] = [/<!-- functions: .* -->\n/, "<!-- end of functions -->"];
  const start = text.search(begin);
  const head = text.slice(0, start) + (begin.exec(text)?.[0] ?? "");
  const tail = text.slice(text.indexOf(end));
  const table = ["| function | value |", "| --- | --- |", ...callableNames.map(showFunction)].join("\n");
  const wanted = `${head}\n${table}\n\n${tail}`;
  if (process.env.FROND_UPDATE === "1") writeFileSync(path, wanted);
  else expect(text).toBe(wanted);
});
