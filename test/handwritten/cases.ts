// Programs in Frond beside what the hand-written cells compute for them, on random numbers: compile each and compare
// its outputs (harness/golden.ts, compareOutputs). Fed with variable lengths and large numbers in the padding.

import type { GoldenTensor, OutputGolden } from "../golden/golden.ts";
import { cube, matrix } from "../golden/golden.ts";
import type { Start } from "./cells.ts";
import { attentionForward, gruBeforeForward, gruForward, lstmForward } from "./cells.ts";

const [batch, steps, positions, features, units] = [3, 5, 4, 2, 3];
const lengths = [3, 5, 1];
const sourceLengths = [4, 1, 2];

/** Numbers in -1..1 that are the same in every run (mulberry32). */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

function random(shape: readonly number[], seed: number): GoldenTensor {
  const next = randoms(seed);
  const size = shape.reduce((product, n) => product * n, 1);
  return { dtype: "real", shape, data: Array.from({ length: size }, next) };
}

/** `[batch, steps, ...]` with 1e30 behind each example's own length. */
function sequences(width: number, own: readonly number[], extent: number, seed: number): GoldenTensor {
  const { shape, data } = random([batch, extent, width], seed);
  const isReal = (i: number) => Math.floor(i / width) % extent < own[Math.floor(i / (width * extent))]!;
  return { dtype: "real", shape, data: data.map((value, i) => (isReal(i) ? value : 1e30)) };
}

/** Back from nested arrays. */
function tensor(nested: readonly (readonly (readonly number[])[])[]): GoldenTensor {
  const shape = [nested.length, nested[0]!.length, nested[0]![0]!.length];
  return { dtype: "real", shape, data: nested.flat(2) };
}

type Cell = (x: number[][][], named: (name: string) => GoldenTensor, start: Start) => number[][][];

/** One layer called as `call` over x, its parameters of the given shapes under the name h. */
function layerCase(
  name: string,
  call: string,
  shapes: Readonly<Record<string, readonly number[]>>,
  cell: Cell,
): OutputGolden {
  const x = sequences(features, lengths, steps, 1);
  const parameters = Object.fromEntries(
    Object.entries(shapes).map(([key, shape], i) => [`h.${key}`, random(shape, 10 + i)]),
  );
  const h = cell(cube(x), key => parameters[`h.${key}`]!, { reverse: call.includes("[-t]") });
  const source = `model Case(features: size = ${features}, units: size = ${units}) {
  axis t
  input x[t]: real[features]
  h[t] = ${call}(x[t], units)
  output y[t] = h[t]
}
`;
  return { name, source, lengths: { t: lengths }, inputs: { x }, parameters, outputs: { y: tensor(h) } };
}

const lstm: Cell = (x, named, start) =>
  lstmForward(x, lengths, { W: matrix(named("W")), U: matrix(named("U")), b: named("b").data }, start);

const gru: Cell = (x, named, start) => {
  const weights = { W: matrix(named("W")), U: matrix(named("U")), b: named("b").data, bu: named("bu").data };
  return gruForward(x, lengths, weights, start);
};

const gruBefore: Cell = (x, named, start) => {
  const [W, U, Un] = [matrix(named("W")), matrix(named("U")), matrix(named("Un"))];
  return gruBeforeForward(x, lengths, { W, U, Un, b: named("b").data }, start);
};

const gates = (n: number) => ({ W: [features, n * units], U: [units, n * units], b: [n * units] });
const beforeShapes = { ...gates(3), U: [units, 2 * units], Un: [units, units] };

const attentionSource = `/// v . tanh(q W + key)
layer additive(q: real[m], key: real[n]) -> e {
  param W: real[m, n] = glorotUniform()
  param v: real[n]    = uniform(-1, 1)
  e = v @ tanh(q @ W + key)
}

model Case(units: size = ${units}) {
  axis s, t
  input enc[s]: real[2]
  input key[s]: real[4]
  input x[t]: real[${features}]
  input d0: real[units]

  score[t,s] = additive(d[t-1], key[s])
  a[t,s]     = softmax[s](score[t,s])
  context[t] = sum[s](a[t,s] * enc[s])
  d[t]       = gru[t](concat(x[t], context[t]), units)
  d[t<0]     = d0
  output y[t] = d[t]
}
`;

function attentionCase(): OutputGolden {
  const inputs = {
    enc: sequences(2, sourceLengths, positions, 21),
    key: sequences(4, sourceLengths, positions, 22),
    x: sequences(features, lengths, steps, 23),
    d0: random([batch, units], 24),
  };
  const parameters = {
    "score.W": random([units, 4], 31),
    "score.v": random([4], 32),
    "d.W": random([features + 2, 3 * units], 33),
    "d.U": random([units, 3 * units], 34),
    "d.b": random([3 * units], 35),
    "d.bu": random([3 * units], 36),
  };
  const y = attentionForward(
    cube(inputs.x),
    lengths,
    cube(inputs.enc),
    cube(inputs.key),
    sourceLengths,
    matrix(inputs.d0),
    {
      Wq: matrix(parameters["score.W"]),
      v: parameters["score.v"].data,
      gru: {
        W: matrix(parameters["d.W"]),
        U: matrix(parameters["d.U"]),
        b: parameters["d.b"].data,
        bu: parameters["d.bu"].data,
      },
    },
  );
  const all = { s: sourceLengths, t: lengths };
  return {
    name: "attention decoder",
    source: attentionSource,
    lengths: all,
    inputs,
    parameters,
    outputs: { y: tensor(y) },
  };
}

export const handwrittenCases: readonly OutputGolden[] = [
  layerCase("lstm", "lstm[t]", gates(4), lstm),
  layerCase("lstm, reversed", "lstm[-t]", gates(4), lstm),
  layerCase("gru", "gru[t]", { ...gates(3), bu: [3 * units] }, gru),
  layerCase("gru, reversed", "gru[-t]", { ...gates(3), bu: [3 * units] }, gru),
  layerCase("gruBefore", "gruBefore[t]", beforeShapes, gruBefore),
  layerCase("gruBefore, reversed", "gruBefore[-t]", beforeShapes, gruBefore),
  attentionCase(),
];
