// The text form: printing and parsing round-trip, and unreadable text is refused with its line.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AxisId, Graph, NodeId } from "../../compiler/graph/graph.ts";
import { parseGraph, printGraph } from "../../compiler/graph/text.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { readGraph } from "../../compiler/ops/read.ts";

const example = `axis t
axis k = 3
%0 = input() {name: "x", dtype: "real", shape: [10], axes: ["t"], batched: true} : real[10] @ t batched  # x
%1 = parameter() {name: "h.W", shape: [10, 512], axes: []} : real[10, 512]  # h.W
%2 = contract(%0, %1) {left: [0], right: [0, 1], out: [1], axes: [], batch: false} : real[512] @ t batched  # h
%3 = tanh(%2) : real[512] @ t batched  # h
output h = %3
`;

test("the example of the design prints as it was read", () => {
  const parsed = parseGraph(example);
  expect(parsed.ok && printGraph(parsed.graph)).toBe(example);
});

const number = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, 1e-320, 1e300, Number.NaN, Infinity, -Infinity, 0.1, 2 ** 53),
);
const word = fc.string({ unit: "grapheme", maxLength: 8 });

interface Draft {
  readonly axes: readonly string[];
  readonly constants: readonly number[];
  readonly labels: readonly string[];
  readonly choices: readonly number[];
}

/** A small graph of all kinds of attributes, names and numbers; any choice of operands is legal. */
function draw({ axes, constants, labels, choices }: Draft): Graph {
  const b = new GraphBuilder();
  const ids = axes.map((id, i) => b.axis(id, i % 2 === 0 ? null : i + 2));
  const nodes: NodeId[] = [b.constant(constants, "real", [constants.length])];
  for (const [i, choice] of choices.entries()) {
    const label = labels[i % labels.length]!;
    const x = nodes[choice % nodes.length]!;
    const axis: AxisId = ids[choice % ids.length]!;
    const makes: readonly (() => NodeId)[] = [
      () => b.neg(x),
      () => b.add(x, b.constant(constants[choice % constants.length]!)),
      () => b.accumulate({ ...b.typeOf(x), axes: ids, batched: true }, [x, x]),
      () => b.shift(b.broadcast(x, { axes: [axis] }), x, axis, choice + 1),
      () => b.at(b.broadcast(x, { axes: [axis], batched: true }), axis, "last", choice),
      () => b.input(label, { shape: b.typeOf(x).shape, axes: [axis] }),
    ];
    nodes.push(b.withPlace({ label }, makes[choice % makes.length]!));
  }
  for (const [i, label] of labels.entries()) b.output(label, nodes[i % nodes.length]!);
  return b.finish();
}

test("any graph comes back from its text", () => {
  const drafts = fc.record({
    axes: fc.uniqueArray(word, { minLength: 1, maxLength: 3 }),
    constants: fc.array(number, { minLength: 2, maxLength: 3 }),
    labels: fc.array(word, { minLength: 1, maxLength: 3 }),
    choices: fc.array(fc.nat(20), { maxLength: 8 }),
  });
  const property = fc.property(drafts, draft => {
    const graph = draw(draft);
    const text = printGraph(graph);
    const parsed = parseGraph(text);
    expect(parsed).toEqual({ ok: true, graph });
    expect(parsed.ok && printGraph(parsed.graph)).toBe(text);
  });
  fc.assert(property, { numRuns: 200, seed: 20 });
});

describe("what cannot be read is refused with its line", () => {
  const cases: readonly (readonly [string, string, string, number, RegExp])[] = [
    ["an unknown op", "tanh(%2)", "tahn(%2)", 6, /there is no op `tahn`/],
    ["a missing attribute", "left: [0], ", "", 5, /the attribute `left` is missing/],
    ["a wrong attribute", "batch: false", "batch: 0", 5, /the attribute `batch` has a wrong value/],
    ["an attribute too many", "{left", "{lift: 1, left", 5, /there is no attribute `lift`/],
    ["a missing type", "tanh(%2) : real[512] @ t batched", "tanh(%2)", 6, /expected `:`/],
    ["an unknown dtype", "%3 = tanh(%2) : real", "%3 = tanh(%2) : float", 6, /there is no dtype `float`/],
    ["a node twice", "%3 = tanh", "%2 = tanh", 6, /%2 stands twice/],
    ["an open string", '"h.W", shape', '"h.W, shape', 4, /expected/],
    ["something else", "output h = %3", "result h = %3", 7, /expected a node, `axis` or `output`/],
    ["more than a line holds", "output h = %3", "output h = %3 %4", 7, /expected the end of the line/],
  ];
  test.each(cases)("%s", (_, from, to, line, problem) => {
    const broken = example.replace(from, to);
    expect(broken).not.toBe(example);
    const parsed = parseGraph(broken);
    expect(parsed).toMatchObject({ ok: false, line });
    expect(parsed.ok ? "" : parsed.problem).toMatch(problem);
  });
  test("never by an exception", () => {
    const property = fc.property(
      fc.nat(example.length),
      fc.string({ maxLength: 5 }),
      fc.nat(5),
      (at, text, cut) => {
        readGraph(example.slice(0, at) + text + example.slice(at + cut));
      },
    );
    fc.assert(property, { numRuns: 500, seed: 21 });
  });
});
