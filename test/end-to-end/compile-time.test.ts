// What compiling costs: it knows no lengths, so it cannot depend on them; unrolling is linear in them. Limits are on
// processor time, since the wall clock of a shared machine measures its neighbours.

import { expect, test } from "vitest";
import type { AxisId } from "../../compiler/graph/graph.ts";
import { compile } from "../../compiler/index.ts";
import { unroll } from "../../compiler/unroll/unroll.ts";
import { compileNamed } from "../harness/models.ts";
import { timed } from "../syntax/trees.ts";

const languageModel = `model Language(words: size = 10000, units: size = 650) {
  axis t
  input  word[t]: index(words)
  target next[t]: index(words)
  e[t] = embedding(word[t], words, units)
  a[t] = lstm[t](e[t], units)
  b[t] = lstm[t](a[t], units)
  c[t] = lstm[t](b[t], units)
  logits[t] = dense(c[t], words)
  output p[t] = softmax(logits[t])
  loss = mean[t](crossEntropy(logits[t], next[t]))
  train { optimizer: adam(rate: 1e-3), clip: norm(1.0), batch: 32, epochs: 1 }
}
`;

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1]!;

const analyse = (): number =>
  timed(() => {
    compile({ name: "language.frond", text: languageModel }).train();
  });

test("a three-layer language model's training step is analysed in 150 ms", () => {
  analyse();
  expect(median([analyse(), analyse(), analyse(), analyse(), analyse()])).toBeLessThan(150);
});

test("full unrolling is linear in the length", () => {
  const { schedule } = compileNamed("lstm").train();
  const axis = schedule.graph.axes.find(({ length }) => length === null)!.id;
  const nodes = new Map<number, number>();
  const time = (extent: number): number =>
    timed(() => {
      nodes.set(extent, unroll(schedule, new Map<AxisId, number>([[axis, extent]])).nodes.size);
    });
  time(100);
  const [short, long] = [100, 1000].map(extent => median([time(extent), time(extent), time(extent)]));
  expect(long!).toBeLessThan(3000);
  expect(long!).toBeLessThan(12 * Math.max(short!, 1));
  // The count has no noise: a fixed part, and so many nodes a step.
  const perStep = (nodes.get(1000)! - nodes.get(100)!) / 900;
  expect(perStep).toBe(Math.round(perStep));
  expect(perStep).toBeLessThan(100);
});
