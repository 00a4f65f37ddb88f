// Which matrices are kept in the blocks that products read, and that training does not care: against the reference, with
// sizes that leave blocks and vectors half full, and with matrices that are used in other ways too.

import { describe, expect, test } from "vitest";
import { blockedOffsets } from "../../backends/codegen/blocked.ts";
import { type Generated, generate } from "../../backends/codegen/generate.ts";
import { openBackend } from "../../backends/registry.ts";
import type { Program } from "../../compiler/index.ts";
import { outputsError } from "../harness/differences.ts";
import { compileText, environmentOf } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";
import { trainOn } from "../harness/training.ts";

const target = { lanes: 4, registers: 16 };
const tile = { rows: 4, vectors: 2 };
const generated = (program: Program): Generated => generate(program, target, tile);

const adam = { kind: "adam", rate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-3 } as const;
const sgd = { kind: "sgd", rate: 1e-2, momentum: 0.5, nesterov: true } as const;
const config = { optimizer: adam, clipNorm: 1, batch: 3, epochs: 1 };

/** A recurrence of 71 inputs and 20 units, `loss` and what else is said. */
const modelOf = (lines: string, loss = "mean(square(h[last] @ V))") => `model M(d: size = 71, n: size = 20) {
  axis t
  input x[t]: real[d]
  param W: real[d, n] = glorotUniform()
  param U: real[n, n] = orthogonal()
  param V: real[n, n] = glorotUniform()
  ${lines}
  output y = h[last]
  loss = ${loss}
}`;
const plain = "h[t] = tanh(x[t] @ W + h[t-1] @ U)";

/** The parameters in blocks, when a model is trained. */
function blockedIn(text: string): readonly string[] {
  const { orders, program } = generated(compileText("m.frond", text).train(config));
  const names = new Set(program.parameters.map(({ name }) => name));
  return [...orders.keys()].filter(name => names.has(name)).sort();
}

const cases: readonly (readonly [what: string, text: string, blocked: readonly string[]])[] = [
  ["what is only multiplied with", modelOf(plain), ["U", "V", "W"]],
  [
    "a sum over all elements",
    modelOf(plain, "mean(square(h[last] @ V)) + 0.1 * sum(square(U))"),
    ["U", "V", "W"],
  ],
  ["used twice", modelOf("h[t] = tanh(x[t] @ W + h[t-1] @ U + h[t-2] @ U)"), ["U", "V", "W"]],
  [
    "a slice of one",
    modelOf("h[t] = tanh(x[t] @ W + h[t-1] @ U + sum(h[t-1] @ slice(U, 3, 8)))"),
    ["V", "W"],
  ],
  [
    "scaled by columns",
    modelOf("param b: real[n]\n  h[t] = tanh(x[t] @ (W * (1 + b)) + h[t-1] @ U)"),
    ["U", "V"],
  ],
  ["transposed only", modelOf(plain, "mean(square(h[last] @ transpose(V)))"), ["U", "W"]],
  ["straight and transposed", modelOf(plain, "mean(square(h[last] @ V @ transpose(V)))"), ["U", "W"]],
  ["a product of two", modelOf("h[t] = tanh(x[t] @ (W @ V) + h[t-1] @ U)"), ["U"]],
  ["a sum of two", modelOf("h[t] = tanh(x[t] @ W + h[t-1] @ (U + V))"), ["U", "V", "W"]],
  ["columns that make no vectors", modelOf(plain).replace("n: size = 20", "n: size = 18"), []],
];

describe("a matrix is kept in blocks, or not", () => {
  test.each(cases)("%s", (_, text, blocked) => expect(blockedIn(text)).toEqual(blocked));

  test("and so are the optimiser's moments", () => {
    const { orders } = generated(compileText("m.frond", modelOf(plain)).train(config));
    expect([...orders.keys()].filter(name => /\bU\b/.test(name))).toHaveLength(3);
  });

  test("a gradient that is a result keeps its rows", () => {
    const { orders, places, program } = generated(compileText("m.frond", modelOf(plain)).gradients());
    expect([...orders.keys()].sort()).toEqual(["U", "V", "W"]);
    for (const name of program.results) {
      expect(places.blocked.has(program.schedule.graph.outputs.get(name)!)).toBe(false);
    }
  });
});

test("elements stand block by block, in a narrower last block too", () => {
  expect([...blockedOffsets([2, 12], target, tile)]).toEqual(
    [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23], // biome-ignore format: rows
  );
});

describe("training is as on the reference", () => {
  const settings = cases.flatMap(([what, text]) =>
    ([adam, sgd] as const).flatMap(optimizer =>
      [1, 2].map(threads => [what, optimizer.kind, threads, text, optimizer] as const),
    ),
  );
  test.each(settings)("%s, %s, threads: %d", async (_what, _kind, threads, text, optimizer) => {
    const program = compileText("m.frond", text).train({ ...config, optimizer });
    const environments = [1, 2, 3].map(seed => environmentOf(program, { batch: 5, extent: 4, seed }));
    const expected = await trainOn(await openBackend("reference"), program, environments);
    const actual = await trainOn(await openBackend("wasm"), program, environments, { threads });
    expect(outputsError(actual, expected)).toBeLessThan(tolerances.float32Steps);
  });
});
