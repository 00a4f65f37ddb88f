// Times the cpu backend on the seed's network: LSTM(128) with a dense softmax over 10 classes at every step, batch 32,
// 50 steps of 10 features, Adam. `npx tsc --outDir .bench && node .bench/test/tfjs/benchmark.js` prints medians.

import { cpu } from "../../backends/tfjs/cpu.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { programOf, schedulings, trainingStepOf } from "../backends/run.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { lstmCell, product } from "../harness/graphs.ts";

const sizes = { batch: 32, steps: 50, features: 10, units: 128, classes: 10 };

function model(): Graph {
  const b = new GraphBuilder();
  const t = b.axis("t", null);
  const h = lstmCell(b, "h", b.input("x", { shape: [sizes.features], axes: [t] }), t, sizes.units);
  const y = b.input("y", { dtype: "index", axes: [t] });
  const weights = b.parameter("logits.W", [sizes.units, sizes.classes]);
  const logits = b.add(product(b, h, weights), b.parameter("logits.b", [sizes.classes]));
  const entropy = b.sub(b.logsumexp(logits, { dims: [0] }), b.gather(logits, y));
  const each = b.div(b.sum(entropy, { axes: [t] }), b.cast(b.length(t), "real"));
  b.output("loss", b.div(b.sum(each, { batch: true }), b.batchSize()));
  return b.finish();
}

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;

async function time(graph: Graph, shortest: number): Promise<string> {
  const environment = randomEnvironment(graph, { batch: sizes.batch, extent: sizes.steps, shortest });
  const lines: string[] = [];
  for (const options of schedulings) {
    const program = { ...programOf(graph, options), results: ["loss"] };
    const executable = await cpu.compile(program);
    const lengths = new Map([...environment.lengths].map(([axis, own]) => [axis, Int32Array.from(own)]));
    const state = executable.createState(new Map([...environment.parameters, ...environment.states]));
    const measured: number[] = [];
    for (let step = 0; step < 40; step++) {
      const start = performance.now();
      const results = await executable.run({ ...environment, lengths, step }, state);
      await results.read("loss");
      results.dispose();
      if (step >= 8) measured.push(performance.now() - start);
    }
    state.dispose();
    executable.dispose();
    lines.push(`${JSON.stringify(options)} ${median(measured).toFixed(1)} ms`);
  }
  return lines.join("\n");
}

const graph = trainingStepOf(model());
console.log(`LSTM(${sizes.units}) training step, ${JSON.stringify(sizes)}, Node ${process.version}`);
console.log(`equal lengths\n${await time(graph, sizes.steps)}`);
console.log(`ragged lengths\n${await time(graph, 20)}`);
