// Random numbers of generated code against compiler/ops/random.ts, whose Philox has known answers of its own.

import { expect, test } from "vitest";
import { add, FunctionBuilder, load } from "../../backends/codegen/builder.ts";
import type { Expr } from "../../backends/codegen/code.ts";
import * as code from "../../backends/codegen/random.ts";
import { encodeModule } from "../../backends/wasm/encode.ts";
import { type Draw, drawNormal, drawUniform } from "../../compiler/ops/random.ts";

const count = 20_000;
const names = ["example", "position", "feature", "site", "seed", "step"] as const;
const memory = new WebAssembly.Memory({ initial: Math.ceil((count * 28) / 65536) });
const words = new Int32Array(memory.buffer, 0, 6 * count);
const result = new Float32Array(memory.buffer, 24 * count, count);

/** A draw for each row of six words. */
function run(draw: (f: FunctionBuilder, words: code.Words) => Expr): void {
  const f = new FunctionBuilder("run");
  const to = f.param();
  f.for(0, 24 * count, 24, at => {
    const [example, position, feature, site, seed, step] = names.map((_, i) => load("i32", at, 4 * i));
    const row = {
      example: example!,
      position: position!,
      feature: feature!,
      site: site!,
      seed: seed!,
      step: step!,
    };
    f.store(to, draw(f, row));
    f.set(to, add(to, 4));
  });
  const func = f.finish();
  const binary = encodeModule({ functions: [func], exports: [func] }, { shared: false, maximum: 1 << 16 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(binary), { frond: { memory } });
  (instance.exports.run as (to: number) => void)(24 * count);
}

const drawOf = (row: number): Draw => {
  const [example, position, feature, site, seed, step] = words.subarray(6 * row, 6 * row + 6);
  return { example: example!, position: position!, feature: feature!, site: site!, seed: seed!, step: step! };
};

/** Small indices as programs have them, then words of all 32 bits. */
function fill(): void {
  let state = 7;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    words[i] = i < words.length / 2 ? (state >>> 16) % 50 : state ^ (state >>> 15);
  }
}

test("uniform numbers are the same to the bit", () => {
  fill();
  run(code.drawUniform);
  for (let row = 0; row < count; row++) expect(result[row]).toBe(Math.fround(drawUniform(drawOf(row))));
});

test("normal numbers are the same within 1e-6", () => {
  fill();
  run(code.drawNormal);
  let worst = 0;
  for (let row = 0; row < count; row++) {
    const wanted = drawNormal(drawOf(row));
    worst = Math.max(worst, Math.abs(result[row]! - wanted) / Math.max(1, Math.abs(wanted)));
  }
  expect(worst).toBeLessThan(1e-6);
});
