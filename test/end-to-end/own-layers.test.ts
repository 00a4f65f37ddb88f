// A layer of one's own has the same rights as the library's: three cells from papers, each in a file of its own that is
// imported, compile, differentiate and train on every backend, and nothing outside their files knows their names.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import { openBackend } from "../../backends/registry.ts";
import { compile } from "../../compiler/index.ts";
import { conformingBackends } from "../harness/backends.ts";
import { gradientError, outputsError } from "../harness/differences.ts";
import { environmentOf } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";
import { onBackend } from "../harness/training.ts";

const root = join(import.meta.dirname, "..", "..");
const cells = [
  { file: "mut1", layer: "mut1" },
  { file: "co-rnn", layer: "coRnn" },
  { file: "strongly-typed", layer: "stronglyTyped" },
];

describe.each(cells)("$layer", ({ file, layer }) => {
  const text = readFileSync(join(root, "spec", "conformance", "programs", `${file}.frond`), "utf8");
  const model = compile(
    {
      name: "main.frond",
      text: `import { ${layer} as cell } from "./cell.frond"

model Imported(features: size = 2, units: size = 3) {
  axis t
  input  x[t]: real[features]
  target goal[t]: real[units]
  h[t] = cell[t](x[t], units)
  output p[t] = h[t]
  loss = mean[t](mse(h[t], goal[t]))
}
`,
    },
    { readImport: path => (path === "./cell.frond" ? { name: "cell.frond", text } : null) },
  );
  const program = model.gradients();

  test("has right gradients", () => {
    const environment = environmentOf(program, { extent: 5 });
    expect(gradientError(program.graph, environment)).toBeLessThan(tolerances.differences);
  });

  test.each(["reference", ...conformingBackends])("runs on %s", async name => {
    const backend = await openBackend(name);
    const environment = environmentOf(program, { extent: 5 });
    const expected = evaluateGraph(program.graph, environment, [...program.results]);
    expect(outputsError(await onBackend(backend, program, environment), expected)).toBeLessThan(
      tolerances.float32,
    );
  });

  test("is known to nothing else", () => {
    const folders = ["compiler", "runtime", "backends", "spec/std"];
    const files = folders.flatMap(folder =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter(name => /\.(ts|frond)$/.test(name))
        .map(name => join(root, folder, name)),
    );
    expect(files.length).toBeGreaterThan(100);
    const word = new RegExp(`\\b${layer}\\b`, "i");
    expect(files.filter(path => word.test(readFileSync(path, "utf8")))).toEqual([]);
  });
});
