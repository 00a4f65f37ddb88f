// What the documents show is true: their programs check, the error in the README is the one that is printed, and every
// file they link to is there.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { backends } from "../backends/registry.ts";
import { checkSource, render } from "../compiler/index.ts";

const root = join(import.meta.dirname, "..");
const read = (name: string): string => readFileSync(join(root, name), "utf8");
const readme = read("README.md");

const blocks = (text: string, language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(match => match[1]!);

test.each(blocks(readme, "frond").map((text, i) => [i, text] as const))(
  "README program %d checks",
  (_, text) => {
    expect(render(checkSource({ name: "readme.frond", text }), { color: false })).toBe("");
  },
);

test("the README shows the error that is printed", () => {
  const shown = blocks(readme, "text").find(block => block.startsWith("$ frond check"));
  const [program] = blocks(readme, "frond");
  const wrong = program!
    .replace(
      /^ *h\[t\] .*$/m,
      "\n  param U: real[features, units] = glorotUniform()\n  h[t]      = tanh(x[t] @ U + h[t-1] @ U)",
    )
    .replace(/^ *metric.*\n/m, "");
  const frame = render(checkSource({ name: "tagger.frond", text: wrong }), { color: false });
  // Line numbers differ where the shown program has other lines around the equation.
  const unnumbered = (text: string): string => text.replaceAll(/^( *)\d+ \||:\d+:\d+$/gm, "$1 |");
  const [, ...lines] = unnumbered(shown!).trimEnd().split("\n");
  expect(lines.slice(0, -1)).toEqual(unnumbered(frame).trimEnd().split("\n"));
});

test("the README's table has every backend", () => {
  for (const { name } of backends) expect(readme).toContain(`| \`${name}\` |`);
});

const documents = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "spec/language.md",
  "spec/glossary.md",
  ...readdirSync(join(root, "examples")).map(name => `examples/${name}/README.md`),
].filter(name => existsSync(join(root, name)));

describe.each(documents)("%s", name => {
  test("links to files that are there", () => {
    const text = read(name).replaceAll(/^```[\s\S]*?^```|`[^`\n]*`/gm, "");
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(match => match[1]!);
    const paths = links.filter(link => !existsSync(join(root, dirname(name), link)));
    expect(paths).toEqual([]);
  });
});

test("ARCHITECTURE.md can be read in one go", () => {
  expect(read("ARCHITECTURE.md").split("\n").length).toBeLessThanOrEqual(200);
});
