// Updates come last: a result that shows a parameter or state is what that was before the step, though the program
// updates it.

import { describe, expect, test } from "vitest";
import type { Tensor } from "../../backends/api.ts";
import { openBackend } from "../../backends/registry.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import type { Program } from "../../compiler/program/program.ts";
import { conformingBackends } from "../harness/backends.ts";
import { programOf } from "./run.ts";

const real = (shape: readonly number[], ...data: readonly number[]): Tensor => ({
  dtype: "real",
  shape,
  data: Float32Array.from(data),
});

const once = { batch: 1, inputs: new Map(), lengths: new Map(), seed: 0, step: 0 };

/** Some steps of a program: the results of each by name, and what it leaves. */
async function stepsOn(name: string, program: Program, values: ReadonlyMap<string, Tensor>, steps: number) {
  const executable = await (await openBackend(name)).compile(program);
  const state = executable.createState(values);
  const found: Record<string, number[]>[] = [];
  for (let step = 0; step < steps; step++) {
    const results = await executable.run({ ...once, step }, state);
    const read: Record<string, number[]> = {};
    for (const result of results.names) read[result] = [...(await results.read(result)).data];
    found.push(read);
    results.dispose();
  }
  const left: Record<string, number[]> = {};
  for (const variable of state.names) left[variable] = [...(await state.read(variable)).data];
  state.dispose();
  executable.dispose();
  return { found, left };
}

describe.each(["reference", ...conformingBackends])("%s", name => {
  test("a parameter and views of it", async () => {
    const b = new GraphBuilder();
    const p = b.parameter("p", [2, 2]);
    b.output("p", p);
    b.output("turned", b.transpose(p, [1, 0]));
    b.output("row", b.reshape(b.slice(p, 0, 1, 1), [2]));
    b.output("update.p", b.add(p, b.constant(10)));
    const program = programOf(b.finish());
    const { found, left } = await stepsOn(name, program, new Map([["p", real([2, 2], 1, 2, 3, 4)]]), 2);
    const first = { p: [1, 2, 3, 4], turned: [1, 3, 2, 4], row: [3, 4], "update.p": [11, 12, 13, 14] };
    const second = {
      p: [11, 12, 13, 14],
      turned: [11, 13, 12, 14],
      row: [13, 14],
      "update.p": [21, 22, 23, 24],
    };
    expect(found).toEqual([first, second]);
    expect(left).toEqual({ p: [21, 22, 23, 24] });
  });

  test("of two that change places", async () => {
    const b = new GraphBuilder();
    const [p, q] = [b.parameter("p", [2]), b.state("q", { shape: [2] })];
    b.output("seen", p);
    b.output("update.p", q);
    b.output("update.q", p);
    const values = new Map([
      ["p", real([2], 1, 2)],
      ["q", real([2], 3, 4)],
    ]);
    const { found, left } = await stepsOn(name, programOf(b.finish()), values, 3);
    const [one, other] = [
      [1, 2],
      [3, 4],
    ];
    expect(found.map(({ seen }) => seen)).toEqual([one, other, one]);
    expect(left).toEqual({ p: other, q: one });
  });

  test("along a static axis, delayed", async () => {
    const b = new GraphBuilder();
    const k = b.axis("k", 3);
    const p = b.parameter("p", [], [k]);
    b.output("before", b.shift(p, b.constant(0), k, 1));
    b.output("p", p);
    b.output("update.p", b.neg(p));
    const { found } = await stepsOn(name, programOf(b.finish()), new Map([["p", real([3], 1, 2, 3)]]), 2);
    expect(found.map(({ p }) => p)).toEqual([
      [1, 2, 3],
      [-1, -2, -3],
    ]);
    expect(found.map(({ before }) => before)).toEqual([
      [0, 1, 2],
      [0, -1, -2],
    ]);
  });
});
