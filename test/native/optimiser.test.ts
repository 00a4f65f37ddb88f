// TensorFlow rewrites graphs before it runs them, and does so wrongly where a loop holds certain operations that come to
// nothing, or a node has several outputs. Frond's graphs avoid both; these are what such rewriting looks for.

import { describe, expect, test } from "vitest";
import { native } from "../../backends/native/index.ts";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import type { AxisId, Graph, NodeId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { programOf } from "../backends/run.ts";
import { outputsError } from "../harness/differences.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { tolerances } from "../harness/tolerances.ts";
import { runWith } from "../harness/training.ts";
import { runs, why } from "./installed.ts";

/** A value [4] from the state [4], which the loop carries, and the input [4]. */
type Form = (b: GraphBuilder, h: NodeId, x: NodeId, t: AxisId) => NodeId;

const all = (b: GraphBuilder, value: number): NodeId => b.constant(value, "real", [4]);
const one = (b: GraphBuilder, value: number): NodeId => b.constant(value);
const half = (b: GraphBuilder, h: NodeId, k: number): NodeId => b.slice(h, 0, 2 * k, 2);
const accumulated = (b: GraphBuilder, t: AxisId, parts: readonly NodeId[]): NodeId =>
  b.accumulate({ dtype: "real", shape: [4], axes: [t], batched: true }, parts);
const matrix = (b: GraphBuilder, h: NodeId, w: NodeId): NodeId =>
  b.contract(h, w, { left: [0], right: [0, 1], out: [1] });

const forms: Readonly<Record<string, Form>> = {
  "h + h": (b, h) => b.add(h, h),
  "h + h + h": (b, h) => b.add(b.add(h, h), h),
  "h - h": (b, h) => b.sub(h, h),
  "h / h": (b, h) => b.div(h, h),
  "h * 0": (b, h) => b.mul(h, one(b, 0)),
  "h * 1": (b, h) => b.mul(h, all(b, 1)),
  "h + 0": (b, h) => b.add(h, all(b, 0)),
  "0 - h": (b, h) => b.sub(one(b, 0), h),
  "h / 1": (b, h) => b.div(h, all(b, 1)),
  "h^2": (b, h) => b.pow(h, one(b, 2)),
  "h^1": (b, h) => b.pow(h, one(b, 1)),
  "h^0": (b, h) => b.pow(h, one(b, 0)),
  "all of a slice": (b, h) => b.add(h, b.slice(h, 0, 0, 4)),
  "nothing of a slice": (b, h) => b.concat([h, b.slice(h, 0, 2, 0)], 0),
  "a pad of nothing": (b, h) => b.add(h, b.pad(h, 0, 0, 0)),
  "a slice of a pad": (b, h) => b.slice(b.pad(h, 0, 1, 1), 0, 1, 4),
  "the same shape": (b, h) => b.add(h, b.reshape(h, [4])),
  "there and back": (b, h) => {
    const square = b.reshape(b.neg(h), [2, 2]);
    return b.reshape(b.transpose(b.transpose(square, [1, 0]), [1, 0]), [4]);
  },
  "one row turned": (b, h) => b.reshape(b.transpose(b.reshape(b.neg(h), [1, 4]), [1, 0]), [4]),
  "-(-h)": (b, h) => b.neg(b.neg(h)),
  "h + (-h)": (b, h) => b.add(h, b.neg(h)),
  "log(exp(h))": (b, h) => b.log(b.exp(h)),
  "sqrt(h * h)": (b, h) => b.sqrt(b.mul(h, h)),
  "a common factor": (b, h, x) => b.add(b.mul(h, x), b.mul(h, all(b, 2))),
  "constants in a row": (b, h) => b.mul(b.mul(one(b, 2), h), one(b, 0.3)),
  "where it does not matter": (b, h) => b.where(b.less(h, one(b, 0)), h, h),
  "where always": (b, h) => b.where(b.constant(1, "bool"), h, one(b, 0)),
  "not not": (b, h) => b.where(b.not(b.not(b.less(h, one(b, 0)))), h, one(b, 1)),
  "equal to itself": (b, h) => b.where(b.equal(h, h), h, one(b, 1)),
  "a sum over one": (b, h) => b.add(h, b.sum(b.reshape(h, [4, 1]), { dims: [1] })),
  "a largest of one": (b, h) => b.add(h, b.max(b.reshape(h, [4, 1]), { dims: [1] })),
  "cut and put together": (b, h) => b.concat([half(b, h, 0), half(b, h, 1)], 0),
  "one of two equal halves": (b, h) => b.slice(b.concat([h, h], 0), 0, 4, 4),
  "times zeros": (b, h) => matrix(b, h, b.constant(0, "real", [4, 4])),
  "a product, a bias, tanh": (b, h) =>
    b.tanh(b.add(matrix(b, h, b.parameter("w", [4, 4])), b.parameter("v", [4]))),
  "a product, a bias, a largest": (b, h) =>
    b.maximum(b.add(matrix(b, h, b.parameter("w", [4, 4])), b.parameter("v", [4])), one(b, 0)),
  "h * sigmoid(h)": (b, h) => b.mul(h, b.sigmoid(h)),
  // Taken for h * sigmoid(h) where the halves are outputs of one node.
  "a half times the sigmoid of the other": (b, h) => {
    const gated = b.mul(b.sigmoid(half(b, h, 0)), half(b, h, 1));
    return b.concat([gated, gated], 0);
  },
  "the same twice": (b, h) => b.add(b.tanh(h), b.tanh(h)),
  "a sum of three": (b, h, _, t) => accumulated(b, t, [h, h, h]),
  "a sum with zeros": (b, h, _, t) => accumulated(b, t, [h, all(b, 0)]),
  "a sum of none": (b, h, _, t) => b.add(h, accumulated(b, t, [])),
  "whole numbers": (b, h) => b.cast(b.cast(b.floor(b.mul(h, one(b, 5))), "index"), "real"),
  softmax: (b, h) => b.expdiff(h, b.reshape(b.logsumexp(h, { dims: [0] }), [1])),
  "its first": (b, h) => b.add(h, b.gather(b.reshape(h, [1, 4]), b.constant(0, "index"))),
  "its largest": (b, h) => b.add(h, b.oneHot(b.argmax(h, 0), 4)),
};

/** h[t] is the form of h[t-1], or of h[t+1]; `mixed` with the input or alone. */
function graphOf(form: Form, offset: 1 | -1, mixed: boolean): Graph {
  const b = new GraphBuilder();
  const t = b.axis("t", null);
  const x = b.input("x", { shape: [4], axes: [t] });
  const h = b.placeholder({ dtype: "real", shape: [4] });
  const next = form(b, b.shift(h, all(b, 0.25), t, offset), x, t);
  b.bind(h, mixed ? b.tanh(b.add(next, x)) : next);
  b.output("h", mixed ? h : b.add(next, x));
  return b.finish();
}

describe.runIf(runs)(`native${why}`, () => {
  test.each(Object.keys(forms))("%s", async name => {
    for (const offset of [1, -1] as const) {
      for (const mixed of [true, false]) {
        const graph = graphOf(forms[name]!, offset, mixed);
        const program = programOf(graph);
        const executable = await native.compile(program);
        for (const shortest of [3, 1]) {
          const environment = randomEnvironment(graph, { batch: 2, extent: 3, shortest });
          const actual = await runWith(executable, program, environment);
          expect(outputsError(actual, evaluateGraph(graph, environment), 1)).toBeLessThan(tolerances.float32);
        }
        executable.dispose();
      }
    }
  });
});
