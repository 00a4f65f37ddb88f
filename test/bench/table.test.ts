// What is printed of rows made up.

import { expect, test } from "vitest";
import type { Case } from "./cases.ts";
import { block, comparison, digits, type Measured, type Row } from "./table.ts";

const shape = { batch: 32, steps: 50, inputs: 10, units: 128 };
const one: Case = { task: "train", layer: "lstm", model: "Tagger", ...shape };

const row = (layer: string, engine: string, ms: number): Row => ({
  ...{ task: "train", layer, ...shape, engine, threads: 1, ms },
  ...{ gflops: 600 / ms, limit: 60 },
});

const measured = (engine: string, ms: number, own: boolean, spread = 0.02): Measured => ({
  row: row("lstm", engine, ms),
  own,
  spread,
});

test("digits", () => {
  expect([0.012345, 1, 12.345, 123.45, 12345, Number.NaN].map(digits)).toEqual([
    "0.0123",
    "1.00",
    "12.3",
    "123",
    "12345",
    "-",
  ]);
});

test("a case's block: everything beside the fastest of Frond's", () => {
  const rows = [
    measured("frond-cpu", 120, true),
    measured("frond-fast", 12, true, Number.NaN),
    measured("peer", 6, false),
  ];
  expect(block(one, 674e6, rows)).toBe(
    `train/lstm/32x50x10x128   674 MFLOP, limit 60.0 GFLOP/s
  engine         threads         ms            GFLOP/s   of limit   / frond-fast
  frond-cpu            1        120  ± 2.0 %      5.00      8.3 %          10.0x
  frond-fast           1       12.0               50.0       83 %          1.00x
  peer                 1       6.00  ± 2.0 %       100      167 %         0.500x
`,
  );
});

test("rows of a graphics card say what a step asks of it", () => {
  const { row: fast, ...rest } = measured("frond-webgl", 12, true);
  const costly = { row: { ...fast, draws: 266, copies: 100, script: 3.3 }, ...rest };
  const lines = block(one, 674e6, [measured("frond-cpu", 120, true), costly]).split("\n");
  expect(lines[1]).toMatch(/ \/ frond-webgl {3}draws {2}copies {2}script ms$/);
  expect(lines[2]).toMatch(/ 10\.0x$/);
  expect(lines[3]).toMatch(/ 1\.00x {5}266 {5}100 {7}3\.30$/);
});

test("without Frond there is nothing to compare with", () => {
  const lines = block(one, 674e6, [measured("peer", 6, false)]).split("\n");
  expect(lines[1]).toMatch(/of limit$/);
  expect(lines[2]).toMatch(/167 %$/);
});

test("unusual layers beside the lstm of the same engine", () => {
  const rows = [row("lstm", "a", 10), row("lstm", "b", 10), row("echo", "a", 20), row("echo", "c", 5)];
  expect(comparison(rows)).toBe(
    `GFLOP/s, as a fraction of the lstm's
  train/echo/32x50x10x128            a                    1     50 %
`,
  );
  expect(comparison(rows.slice(0, 2))).toBe("");
});

test("draws beside the lstm's, for as many groups and products", () => {
  const rows = [
    { ...row("lstm", "a", 10), draws: 200, groups: 100 },
    { ...row("gru", "a", 10), draws: 330, groups: 150 },
    { ...row("echo", "b", 10), draws: 330, groups: 150 },
  ];
  expect(comparison(rows)).toBe(
    `Draws for each elementwise group and product, beside the lstm's
  train/gru/32x50x10x128             a                    1    1.10x
`,
  );
});
