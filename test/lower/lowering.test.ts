// What lowering makes of small programs, evaluated on the reference: boundaries, directions, corners, aliases, mapped
// and static axes, means with ragged lengths. Expected numbers are worked out by hand in each test.

import { describe, expect, test } from "vitest";
import { codesOf, lowerText, run } from "./harness.ts";

/** x[t] of two examples, of lengths 3 and 2 (the 99 is padding). */
const ragged = {
  batch: 2,
  inputs: {
    x: [
      [1, 2, 3],
      [4, 5, 99],
    ],
  },
  lengths: { t: [3, 2] },
};

const overTime = (equations: string): string => `model M() {
  axis t
  input x[t]: real
  ${equations}
}`;

describe("reads along one axis", () => {
  test("a delay shows zeros before the start, an advance behind each example's own end", () => {
    const text = overTime("output y[t] = x[t-1]\n output z[t] = x[t+1]");
    expect(run(lowerText(text), ragged)).toEqual({
      "output.y": [
        [0, 1, 2],
        [0, 4, 0],
      ],
      "output.z": [
        [2, 3, 0],
        [5, 0, 0],
      ],
    });
  });

  test("boundaries stand in on their side, however far outside", () => {
    const text = overTime(`
      h[t] = x[t]
      h[t<0] = 7
      h[t>last] = 8
      output y[t] = h[t-2]
      output z[t] = h[t+2]`);
    expect(run(lowerText(text), ragged)).toEqual({
      "output.y": [
        [7, 7, 1],
        [7, 7, 0],
      ],
      "output.z": [
        [3, 8, 8],
        [8, 8, 0],
      ],
    });
  });

  test("first and last count from each example's own ends; a step that is not there is 0", () => {
    const text = overTime(`
      output a = x[first]
      output b = x[last]
      output c = x[first+1]
      output d = x[last-2]`);
    expect(run(lowerText(text), ragged)).toEqual({
      "output.a": [1, 4],
      "output.b": [3, 5],
      "output.c": [2, 5],
      "output.d": [1, 0],
    });
  });

  test("a left-hand offset is the same equation", () => {
    const text = overTime("h[t+1] = x[t] + h[t]\n output y[t] = h[t]");
    expect(run(lowerText(text), ragged)["output.y"]).toEqual([
      [0, 1, 3],
      [0, 4, 0],
    ]);
  });
});

describe("reversed layers", () => {
  const layer = `layer f[t](x[t]: real) -> h[t] {
    h[t] = x[t] + 10 * h[t-1]
    h[t<0] = 1
  }`;

  test("run from each example's own end", () => {
    const text = `${layer}\n${overTime("output h[t] = f[-t](x[t])")}`;
    // From the end: 3 + 10, 2 + 130, 1 + 1320; and 5 + 10, 4 + 150.
    expect(run(lowerText(text), ragged)["output.h"]).toEqual([
      [1321, 132, 13],
      [154, 15, 0],
    ]);
  });

  test("the caller's boundary stays in the caller's direction", () => {
    const text = `${layer}\n${overTime(`
      h[t] = f[-t](x[t])
      h[t>last] = 2
      output y[t] = h[t]
      output z[t] = h[t+1]`)}`;
    expect(run(lowerText(text), ragged)).toEqual({
      "output.y": [
        [2321, 232, 23],
        [254, 25, 0],
      ],
      "output.z": [
        [232, 23, 2],
        [25, 2, 0],
      ],
    });
  });

  test("turn last, first and index(t) round inside", () => {
    const inner = `layer g[t](x[t]: real) -> y[t] {
      y[t] = 100 * x[last] + 10 * x[first] + real(index(t))
    }`;
    const text = `${inner}\n${overTime("output y[t] = g[-t](x[t])")}`;
    expect(run(lowerText(text), ragged)["output.y"]).toEqual([
      [132, 131, 130],
      [451, 450, 0],
    ]);
  });

  test("twice reversed is forward", () => {
    const outer = `layer g[t](x[t]: real) -> y[t] {
      y[t] = f[-t](x[t])
    }`;
    const text = `${layer}\n${outer}\n${overTime("output y[t] = g[-t](x[t])\n output z[t] = f[t](x[t])")}`;
    const results = run(lowerText(text), ragged);
    expect(results["output.y"]).toEqual(results["output.z"]);
  });

  test("the arguments are not reversed", () => {
    const text = `${layer}\n${overTime("output y[t] = f[-t](x[t-1])")}`;
    // Arguments 0 1 2 and 0 4: from the end 2 + 10, 1 + 120, 0 + 1210; 4 + 10, 0 + 140.
    expect(run(lowerText(text), ragged)["output.y"]).toEqual([
      [1210, 121, 12],
      [140, 14, 0],
    ]);
  });
});

describe("aliases", () => {
  const layer = `layer f[t](x[t]: real) -> h[t], c[t] {
    c[t] = x[t] + c[t-1]
    h[t] = 2 * c[t] + 100 * h[t-1]
    h[t<0] = 3
  }`;

  test("the caller sees the layer's own boundary", () => {
    const text = `${layer}\n${overTime("h[t] = f[t](x[t])\n output y[t] = h[t-1]")}`;
    expect(
      run(lowerText(text), { ...ragged, inputs: { x: [[1, 0, 0]] }, batch: 1, lengths: {} })["output.y"],
    ).toEqual([[3, 302, 30202]]);
  });

  test("the caller's boundary takes its place inside and outside, for each result of a tuple", () => {
    const text = `${layer}\n${overTime(`
      (h[t], c[t]) = f[t](x[t])
      h[t<0] = 0
      c[t<0] = 5
      output y[t] = h[t-1]
      output z[t] = c[t-1]`)}`;
    expect(run(lowerText(text), { inputs: { x: [[1, 0, 0]] }, batch: 1 })).toEqual({
      "output.y": [[0, 12, 1212]],
      "output.z": [[5, 6, 6]],
    });
  });

  test("pass through several layers", () => {
    const outer = `layer g[t](x[t]: real) -> k[t] {
      k[t] = f[t](x[t])
    }`;
    const text = `${layer}\n${outer}\n${overTime(`
      h[t] = g[t](x[t])
      h[t<0] = 1
      output y[t] = h[t-1]`)}`;
    expect(run(lowerText(text), { inputs: { x: [[1, 0, 0]] }, batch: 1 })["output.y"]).toEqual([
      [1, 102, 10202],
    ]);
  });

  test("a wrapped call is a new name", () => {
    const text = `${layer}\n${overTime(`
      h[t] = identity(f[t](x[t]))
      h[t<0] = 9
      output y[t] = h[t-1]`)}`;
    expect(run(lowerText(text), { inputs: { x: [[1, 0, 0]] }, batch: 1 })["output.y"]).toEqual([
      [9, 302, 30202],
    ]);
  });
});

describe("two axes", () => {
  const grid = (equations: string): string => `model M() {
    axis i, j
    input x[i,j]: real
    ${equations}
  }`;
  const square = {
    batch: 1,
    inputs: {
      x: [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    },
  };

  test("a two-dimensional recurrence", () => {
    const text = grid("h[i,j] = x[i,j] + h[i-1,j] + h[i,j-1]\n output y[i,j] = h[i,j]");
    expect(run(lowerText(text), square)["output.y"]).toEqual([
      [
        [1, 3],
        [4, 11],
      ],
    ]);
  });

  test("equal constant boundaries hold at the corner", () => {
    const text = grid("h[i,j] = x[i,j]\n h[i<0,j] = 5\n h[i,j<0] = 5\n output y[i,j] = h[i-1,j-1]");
    expect(run(lowerText(text), square)["output.y"]).toEqual([
      [
        [5, 5],
        [5, 1],
      ],
    ]);
  });

  test("a constant boundary extends over the corner, in either order of the axes", () => {
    const first = grid(
      "h[i,j] = x[i,j]\n h[i<0,j] = 5\n h[i,j<0] = real(index(i)) + 7\n output y[i,j] = h[i-1,j-1]",
    );
    const second = grid(
      "h[i,j] = x[i,j]\n h[i<0,j] = real(index(j)) + 7\n h[i,j<0] = 5\n output y[i,j] = h[i-1,j-1]",
    );
    // Outside along j only, at (1, 0), the boundary along j shows its value at i-1 = 0.
    expect(run(lowerText(first), square)["output.y"]).toEqual([
      [
        [5, 5],
        [7, 1],
      ],
    ]);
    expect(run(lowerText(second), square)["output.y"]).toEqual([
      [
        [5, 7],
        [5, 1],
      ],
    ]);
  });

  test("different constants at the corner are an error, zero for one that is not stated", () => {
    expect(
      codesOf(grid("h[i,j] = x[i,j]\n h[i<0,j] = 5\n h[i,j<0] = 6\n output y[i,j] = h[i-1,j-1]")),
    ).toEqual(["F0716"]);
    expect(codesOf(grid("h[i,j] = x[i,j]\n h[i<0,j] = 5\n output y[i,j] = h[i-1,j-1]"))).toEqual(["F0716"]);
    expect(codesOf(grid("h[i,j] = x[i,j]\n h[i<0,j] = 5\n output y[i,j] = h[i-1,j]"))).toEqual([]);
  });

  test("two boundaries that vary are an error", () => {
    const vary = "h[i<0,j] = real(index(j))\n h[i,j<0] = real(index(i))";
    expect(codesOf(grid(`h[i,j] = x[i,j]\n ${vary}\n output y[i,j] = h[i-1,j-1]`))).toEqual(["F0718"]);
  });
});

describe("mapped axes", () => {
  const layer = `layer f[t](x[t]: real, z: real) -> h[t] {
    h[t] = x[t] + z + h[t-1]
  }`;

  test("of the arguments appear in the result, and the layer knows nothing of them", () => {
    const text = `${layer}
    model M() {
      axis t, j
      input x[t]: real
      input z[j]: real
      output h[t,j] = f[t](x[t], z[j])
    }`;
    expect(run(lowerText(text), { batch: 1, inputs: { x: [[1, 2]], z: [[10, 20]] } })["output.h"]).toEqual([
      [
        [11, 21],
        [23, 43],
      ],
    ]);
  });

  test("appear although the layer ignores the argument", () => {
    const text = `layer f(x: real, z: real) -> y { y = x + 0 * 1 + where(false, z, 0) }
    model M() {
      axis j
      input x: real
      input z[j]: real
      output s = sum[j](f(x, z[j]))
    }`;
    expect(run(lowerText(text), { batch: 1, inputs: { x: [3] }, lengths: { j: [2] } })["output.s"]).toEqual([
      6,
    ]);
  });

  test("draws differ along them", () => {
    const text = `layer noisy(x: real) -> y { y = x + normal() }
    model M() {
      axis j
      input x[j]: real
      output y[j] = noisy(x[j])
    }`;
    const [row] = run(lowerText(text), { batch: 1, inputs: { x: [[0, 0, 0]] } })["output.y"] as number[][];
    expect(new Set(row).size).toBe(3);
  });
});

describe("static axes", () => {
  test("a convolution over time", () => {
    const text = `model M(dilation: size = 1) {
      axis t
      axis k = 0..2
      input x[t]: real
      param W[k]: real
      output y[t] = sum[k](x[t - dilation*k] * W[k])
    }`;
    const feeds = { batch: 1, inputs: { x: [[1, 2, 3, 4]] }, parameters: { W: [1, 10, 100] } };
    expect(run(lowerText(text), feeds)["output.y"]).toEqual([[1, 12, 123, 234]]);
    expect(run(lowerText(text, { sizes: { dilation: 2 } }), feeds)["output.y"]).toEqual([[1, 2, 13, 24]]);
  });

  test("flatten puts a static axis among the features", () => {
    const text = `model M() {
      axis t
      axis k = 0..2
      input x[t]: real[2]
      z[t,k] = x[t-k]
      output y[t] = flatten[k](z[t,k])
    }`;
    const x = [
      [
        [1, 2],
        [3, 4],
      ],
    ];
    expect(run(lowerText(text), { batch: 1, inputs: { x } })["output.y"]).toEqual([
      [
        [1, 2, 0, 0, 0, 0],
        [3, 4, 1, 2, 0, 0],
      ],
    ]);
  });

  test("depth is a recurrence along a static axis; its positions start where it starts", () => {
    const text = `model M() {
      axis l = 1..3
      input x: real
      y[l] = 10 * y[l-1] + real(index(l))
      y[l<0] = x
      output z = y[last]
    }`;
    const known = codesOf(text);
    expect(known).toEqual([]);
    expect(run(lowerText(text), { batch: 1, inputs: { x: [4] } })["output.z"]).toEqual([4123]);
  });
});

describe("means", () => {
  test("each example's own steps count", () => {
    const text = overTime(
      "output m = mean[t](x[t])\n output s = sum[t](x[t])\n output l = logsumexp[t](0 * x[t])",
    );
    const results = run(lowerText(text), ragged);
    expect(results["output.m"]).toEqual([2, 4.5]);
    expect(results["output.s"]).toEqual([6, 9]);
    expect(results["output.l"]).toEqual([Math.log(3), Math.log(2)]);
  });

  test("length 0 gives 0, and -inf for max", () => {
    const text = overTime(
      "output m = mean[t](x[t])\n output s = sum[t](x[t])\n output g = max[t](x[t])\n output e = x[last]",
    );
    const results = run(lowerText(text), { ...ragged, lengths: { t: [3, 0] } });
    expect(results).toEqual({
      "output.m": [2, 0],
      "output.s": [6, 0],
      "output.g": [3, Number.NEGATIVE_INFINITY],
      "output.e": [3, 0],
    });
  });

  test("a value that does not vary between examples is still averaged over each example's steps", () => {
    const text = overTime("output m = sum[t](real(index(t)) + 0 * 1)\n output y[t] = x[t]");
    expect(run(lowerText(text), ragged)["output.m"]).toEqual([3, 1]);
  });

  test("a loss is the mean over examples, a micro mean over steps", () => {
    const macro = run(lowerText(overTime("loss = mean[t](x[t])")), ragged);
    expect(macro).toEqual({ loss: 3.25, "loss.total": 6.5, "loss.count": 2 });
    const micro = run(
      lowerText(overTime("loss = microMean[t](x[t])\n metric m = mean[t](x[t] > 2)")),
      ragged,
    );
    expect(micro).toEqual({
      loss: 3,
      "loss.total": 15,
      "loss.count": 5,
      "metric.m.total": 1 / 3 + 1,
      "metric.m.count": 2,
    });
  });

  test("a metric that is a truth value counts how often it is true", () => {
    const text = overTime("loss = mean[t](x[t])\n metric m = x[last] > 3");
    const values = run(lowerText(text), ragged);
    expect([values["metric.m.total"], values["metric.m.count"]]).toEqual([1, 2]);
  });

  test("over features and static axes", () => {
    const text = `model M() {
      axis k = 0..1
      input x[k]: real[2]
      output a[k] = mean(x[k])
      output b = mean[k](x[k])
    }`;
    const x = [
      [
        [1, 2],
        [5, 8],
      ],
    ];
    expect(run(lowerText(text), { batch: 1, inputs: { x } })).toEqual({
      "output.a": [[1.5, 6.5]],
      "output.b": [[3, 5]],
    });
  });
});

describe("parameters", () => {
  const names = (text: string): string[] => lowerText(text).parameters.map(({ name }) => name);

  test("each use has its own, named after its equation", () => {
    const text = `model M() {
      axis t
      input x[t]: real[3]
      a[t] = dense(x[t], 2)
      b[t] = tanh(dense(x[t], 2)) + dense(a[t], 2)
      h[t] = gru[t](dense(b[t], 4), 4)
      h[t<0] = tanh(dense(a[first], 4))
      output y[t] = h[t]
    }`;
    expect(names(text).toSorted()).toEqual(
      [
        ..."Wb"
          .split("")
          .flatMap(p => [`a.${p}`, `b.dense.${p}`, `b.dense2.${p}`, `h.dense.${p}`, `h.start.dense.${p}`]),
        ...["W", "U", "b", "bu"].map(p => `h.${p}`),
      ].toSorted(),
    );
  });

  test("a shared layer has one set", () => {
    const text = `model M() {
      axis t
      input x[t]: real[3]
      share f = dense(3)
      output y[t] = f(f(x[t]))
    }`;
    expect(names(text).toSorted()).toEqual(["f.W", "f.b"]);
    expect(codesOf(text.replace("dense(3)", "dense(2)"))).not.toEqual([]);
  });

  test("of a branch that is ruled out are not made", () => {
    const layer = `layer f(x: real[n], deep: bool = false) -> y {
      param V: real[n, n] = orthogonal()
      param b: real[n] = ones()
      y = where(deep, dense(x @ V, n), x + b)
    }`;
    const model = (deep: boolean): string => `${layer}
    model M() { input x: real[2]
      output y = f(x, deep: ${deep})
    }`;
    expect(names(model(false))).toEqual(["y.b"]);
    expect(names(model(true)).toSorted()).toEqual(["y.V", "y.y.dense.W", "y.y.dense.b"]);
  });

  test("are those of the mode; dropout is the identity outside of training", () => {
    const text = `model M() {
      input x: real[4]
      output y = dropout(dense(x, 64), 0.5)
      output z = normal(2)
    }`;
    const [train, infer] = [lowerText(text, { mode: "train" }), lowerText(text)];
    expect(train.parameters).toEqual(infer.parameters);
    const feeds = {
      batch: 1,
      inputs: { x: [[1, 1, 1, 1]] },
      parameters: {
        "y.dense.W": new Array(4).fill(new Array(64).fill(0.25)),
        "y.dense.b": new Array(64).fill(1),
      },
    };
    const [kept] = run(train, feeds)["output.y"] as number[][];
    expect(new Set(kept)).toEqual(new Set([0, 4]));
    expect(run(infer, feeds)["output.y"]).toEqual([new Array(64).fill(2)]);
    // Sites are counted alike, so that other draws do not depend on the mode.
    expect(run(train, feeds)["output.z"]).toEqual(run(infer, feeds)["output.z"]);
  });
});

describe("sizes", () => {
  test("come from defaults or from outside", () => {
    const text = "model M(n: size = 3, m: size = 2*n) { input x: real[n]\n output y = concat(x, zeros(m)) }";
    const shape = (sizes: Record<string, number>) => {
      const { graph } = lowerText(text, { sizes });
      return graph.nodes.get(graph.outputs.get("output.y")!)!.type.shape;
    };
    expect([shape({}), shape({ n: 5 }), shape({ n: 5, m: 1 })]).toEqual([[9], [15], [6]]);
  });

  test("missing, unknown and impossible ones are reported", () => {
    const text = "model M(n: size) { input x: real[n]\n output y = x }";
    expect(codesOf(text)).toEqual(["F0710"]);
    expect(codesOf(text, { sizes: { n: 0 } })).toEqual(["F0712"]);
    expect(codesOf(text, { sizes: { n: 1.5 } })).toEqual(["F0712"]);
    expect(codesOf(text, { sizes: { n: 2, k: 3 } })).toEqual(["F0711"]);
    expect(codesOf(text, { sizes: { n: 1e12 } })).toEqual(["F0713"]);
    expect(codesOf(text, { sizes: { n: 2 } })).toEqual([]);
  });

  test("that fit symbolically and not in this use name the chain of uses", () => {
    const text = `layer inner(x: real[a], y: real[b]) -> z { z = x + y }
    layer outer(x: real[a], n: size) -> z { z = inner(x, zeros(n)) }
    model M(n: size = 4) { input x: real[3]
      output y = outer(x, n)
    }`;
    const { diagnostics } = lowerText.attempt(text);
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]!.notes.slice(-2).map(note => note.text)).toEqual([
      "in `inner`, used for `z` here",
      "in `outer`, used for `y` here",
    ]);
    expect(codesOf(text, { sizes: { n: 3 } })).toEqual([]);
  });
});

describe("generation", () => {
  test("the condition sees the value that is fed back", () => {
    const text = `model M() {
      axis t
      input out[t]: index(5)
      output p[t] = oneHot(out[t], 5)
      generate out[t+1] = argmax(p[t]) from 2 until out[t+1] == 3
    }`;
    const lowered = lowerText(text);
    expect(lowered.generate).toEqual([{ input: "out", axis: "t", from: 2, hasUntil: true }]);
    expect(run(lowered, { batch: 1, inputs: { out: [[3, 1]] } })).toMatchObject({
      "generate.out": [[3, 1]],
      "generate.until": [[1, 0]],
    });
  });
});

describe("large programs", () => {
  test("long chains of equations and terms do not overflow the stack", () => {
    const chain = Array.from({ length: 3000 }, (_, k) => `h${k + 1}[t] = h${k}[t] + 1`).join("\n");
    const long = overTime(`h0[t] = x[t]\n${chain}\noutput y[t] = h3000[t]`);
    expect(run(lowerText(long), ragged)["output.y"]).toEqual([
      [3001, 3002, 3003],
      [3004, 3005, 0],
    ]);
  });
});
