// What kind of recurrence each loop is: linear where algebra says so, whatever the layer is called.

import { describe, expect, test } from "vitest";
import type { NodeId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { loopKinds } from "../../compiler/schedule/linear.ts";
import type { Schedule } from "../../compiler/schedule/schedule.ts";
import { parseSchedule, printSchedule } from "../../compiler/schedule/text.ts";
import { unrollBy } from "../../compiler/unroll/partial.ts";
import { compileNamed } from "../harness/models.ts";
import { distributed, scheduled } from "../harness/schedules.ts";

/** The loops of a schedule, as its text says what they are. */
const kindsOf = (schedule: Schedule): readonly string[] =>
  printSchedule(schedule)
    .split("\n")
    .flatMap(line => /^ *loop (.*) \{ +# (.*)$/u.exec(line)?.slice(1).join(": ") ?? []);

describe("the loops of a training step", () => {
  const linear = (states: number): string => `linear, ${states} state${states === 1 ? "" : "s"}`;
  test.each([
    ["exponential-average", [`t forward: ${linear(1)}`, `t backward: ${linear(1)}`]],
    ["min-gru", [`t forward: ${linear(1)}`, `t backward: ${linear(1)}`]],
    ["strongly-typed", [`t forward: ${linear(1)}`, `t backward: ${linear(1)}`]],
    ["qrnn", [`t forward: ${linear(1)}`, `t backward: ${linear(1)}`]],
    ["linear-attention", [`t forward: ${linear(1)}`, `t backward: ${linear(1)}`]],
    ["lru", [`t forward: ${linear(2)}`, `t backward: ${linear(2)}`]],
    // Linear backwards only: adjoints always are.
    ["ind-rnn", ["t forward: elementwise", `t backward: ${linear(1)}`]],
    ["sru", ["t forward: elementwise", `t backward: ${linear(1)}`]],
    ["elman", ["t forward: general: contract h.h", "t backward: general: contract h.h"]],
    ["lstm", ["t forward: general: contract h.o", "t backward: general: contract h.o"]],
    // In a row each place hears its neighbour; the row as a whole is no linear step.
    ["soft-dtw", ["i forward", "j forward", "i backward", `j backward: ${linear(1)}`]],
  ])("%s", (name, expected) => {
    const kinds = kindsOf(compileNamed(name).gradients().schedule);
    expect(new Set(kinds).size).toBe(expected.length);
    for (const [i, kind] of [...new Set(kinds)].entries()) expect(kind).toContain(expected[i]);
  });

  test("are the same when unrolled by a factor", () => {
    const { schedule } = compileNamed("lru").gradients();
    const kinds = kindsOf(unrollBy(schedule, 3)).map(kind => kind.replace(" by 3", ""));
    expect(kinds).toEqual(kindsOf(schedule));
  });
});

test("a schedule says what its loops are, to readers only", () => {
  const { schedule } = compileNamed("lru").gradients();
  const text = printSchedule(schedule);
  expect(text).toContain("loop t forward {                          # linear, 2 states\n");
  const parsed = parseSchedule(text.replaceAll("# linear, 2 states", "# as may be"));
  expect(parsed.ok && printSchedule(parsed.schedule)).toBe(text);
});

/** The kind of the loop of h[t] = step(h[t - lag]) of some features; with `because` as its op. */
function kindOf(
  step: (b: GraphBuilder, h: NodeId, x: NodeId) => NodeId,
  shape: readonly number[] = [4],
  lags: readonly number[] = [1],
): string {
  const b = new GraphBuilder();
  const t = b.axis("t", null);
  const h = b.placeholder({ dtype: "real", shape: [...shape], axes: [t] });
  const x = b.input("x", { shape: [...shape], axes: [t] });
  const zero = b.constant(0, "real", [...shape]);
  const delayed = lags.map(lag => b.shift(h, zero, t, lag)).reduce((sum, one) => b.add(sum, one));
  b.bind(h, step(b, delayed, x));
  b.output("y", h);
  const schedule = scheduled(b.finish(), distributed);
  const [kind] = loopKinds(schedule).values();
  if (kind?.kind === "general") return `general: ${schedule.graph.nodes.get(kind.because)!.op}`;
  return kind?.kind === "linear" ? `linear ${kind.states}` : `${kind?.kind}`;
}

describe("a recurrence", () => {
  test("of sums, differences, negatives and factors is linear", () => {
    expect(kindOf((b, h, x) => b.sub(b.neg(b.mul(h, b.tanh(x))), b.mul(x, b.div(h, x))))).toBe("linear 1");
  });

  test("that divides by what is carried, multiplies it with itself or takes any function of it is not", () => {
    expect(kindOf((b, h, x) => b.div(x, h))).toBe("elementwise");
    expect(kindOf((b, h, x) => b.add(b.mul(h, h), x))).toBe("elementwise");
    expect(kindOf((b, h, x) => b.maximum(h, x))).toBe("elementwise");
  });

  test("with a choice is linear where the condition does not depend on what is carried", () => {
    expect(kindOf((b, h, x) => b.where(b.greater(x, b.constant(0)), h, x))).toBe("linear 1");
    expect(kindOf((b, h, x) => b.where(b.greater(h, b.constant(0)), h, x))).toBe("elementwise");
  });

  test("with lags has as many states as the longest", () => {
    expect(kindOf((b, h, x) => b.add(h, x), [4], [2])).toBe("linear 2");
    expect(kindOf((b, h, x) => b.add(h, x), [4], [1, 3])).toBe("linear 3");
  });

  test("in which halves of the features change places has blocks of two", () => {
    const swap = (b: GraphBuilder, h: NodeId): NodeId =>
      b.concat([b.slice(h, 0, 2, 2), b.slice(h, 0, 0, 2)], 0);
    expect(kindOf((b, h, x) => b.add(swap(b, h), x))).toBe("linear 2");
    expect(kindOf((b, h, x) => b.add(b.tanh(swap(b, h)), x))).toBe("elementwise");
  });

  test("in which features move on by one is a block of them all, and too large is general", () => {
    const roll = (b: GraphBuilder, h: NodeId, n: number): NodeId =>
      b.concat([b.slice(h, 0, n - 1, 1), b.slice(h, 0, 0, n - 1)], 0);
    expect(kindOf((b, h, x) => b.add(roll(b, h, 4), x))).toBe("linear 4");
    expect(kindOf((b, h, x) => b.add(roll(b, h, 9), x), [9])).toBe("general: add");
  });

  test("sees through views", () => {
    const around = (b: GraphBuilder, h: NodeId): NodeId =>
      b.reshape(b.transpose(b.reshape(h, [2, 2]), [1, 0]), [4]);
    expect(kindOf((b, h, x) => b.add(around(b, around(b, h)), x))).toBe("linear 1");
    expect(kindOf((b, h, x) => b.add(around(b, h), x))).toBe("linear 2");
    const part = (b: GraphBuilder, h: NodeId): NodeId => b.pad(b.slice(h, 0, 1, 2), 0, 1, 1);
    expect(kindOf((b, h, x) => b.add(part(b, h), x))).toBe("linear 1");
  });

  test("in which one feature is added to all is a block of them all", () => {
    expect(kindOf((b, h, x) => b.add(b.add(h, b.slice(h, 0, 0, 1)), x))).toBe("linear 4");
  });

  test("that sums over features is general", () => {
    expect(kindOf((b, h, x) => b.mul(b.sum(h, { dims: [0], keep: true }), x))).toBe("general: sum");
  });

  test("is judged by what comes back, not by what is made of it on the way", () => {
    const b = new GraphBuilder();
    const t = b.axis("t", null);
    const h = b.placeholder({ dtype: "real", shape: [3], axes: [t] });
    const x = b.input("x", { shape: [3], axes: [t] });
    const zero = b.constant(0, "real", [3]);
    b.bind(h, b.add(b.shift(h, zero, t, 1), x));
    // Computed in the same loop, and one step late: read by nothing that is carried.
    const late = b.shift(b.tanh(h), zero, t, 1);
    b.output("y", b.sum(b.mul(late, h), { axes: [t] }));
    const schedule = scheduled(b.finish());
    expect([...loopKinds(schedule).values()]).toEqual([{ kind: "linear", states: 1 }]);
  });
});
