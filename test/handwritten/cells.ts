// LSTM, both GRUs and a step of an attention decoder written by hand: plain loops over number[], one example at a
// time, straight from the papers. Independent of the compiler and its op table, so that a wrong forward formula
// cannot hide behind a gradient that matches it. Weights are in the layout of spec/std.

export type Vector = readonly number[];
/** Rows. */
export type Matrix = readonly Vector[];
/** [batch][step][feature] */
export type Sequences = readonly Matrix[];

export interface LstmWeights {
  /** [d][4 units]: gates i, f, g, o. */
  readonly W: Matrix;
  /** [units][4 units] */
  readonly U: Matrix;
  readonly b: Vector;
}

export interface GruWeights {
  /** [d][3 units]: gates r, z, n. */
  readonly W: Matrix;
  /** [units][3 units] */
  readonly U: Matrix;
  readonly b: Vector;
  readonly bu: Vector;
}

export interface GruBeforeWeights {
  /** [d][3 units]: gates r, z, n. */
  readonly W: Matrix;
  /** [units][2 units]: gates r, z. */
  readonly U: Matrix;
  /** [units][units] */
  readonly Un: Matrix;
  readonly b: Vector;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** x W for a row vector x. */
export function product(x: Vector, W: Matrix): number[] {
  const result = new Array<number>(W[0]!.length).fill(0);
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < result.length; j++) result[j]! += x[i]! * W[i]![j]!;
  }
  return result;
}

const plus = (...terms: readonly Vector[]) =>
  terms[0]!.map((_, i) => terms.reduce((sum, term) => sum + term[i]!, 0));
const zeros = (n: number) => new Array<number>(n).fill(0);

/** The order of the steps that one example has: 0..length-1, or from its own end. */
function order(length: number, reverse: boolean): number[] {
  return Array.from({ length }, (_, i) => (reverse ? length - 1 - i : i));
}

/** One step (Hochreiter & Schmidhuber 1997; forget gate of Gers et al. 2000). */
export function lstmStep(
  x: Vector,
  h: Vector,
  c: Vector,
  { W, U, b }: LstmWeights,
): { h: number[]; c: number[] } {
  const units = h.length;
  const gates = plus(product(x, W), product(h, U), b);
  const next = { h: zeros(units), c: zeros(units) };
  for (let j = 0; j < units; j++) {
    const i = sigmoid(gates[j]!);
    const f = sigmoid(gates[units + j]!);
    const g = Math.tanh(gates[2 * units + j]!);
    const o = sigmoid(gates[3 * units + j]!);
    next.c[j] = f * c[j]! + i * g;
    next.h[j] = o * Math.tanh(next.c[j]!);
  }
  return next;
}

/** One step, reset after the product (Keras `reset_after`, PyTorch, cuDNN). */
export function gruStep(x: Vector, h: Vector, { W, U, b, bu }: GruWeights): number[] {
  const units = h.length;
  const fromInput = plus(product(x, W), b);
  const fromState = plus(product(h, U), bu);
  return h.map((previous, j) => {
    const r = sigmoid(fromInput[j]! + fromState[j]!);
    const z = sigmoid(fromInput[units + j]! + fromState[units + j]!);
    const n = Math.tanh(fromInput[2 * units + j]! + r * fromState[2 * units + j]!);
    return (1 - z) * n + z * previous;
  });
}

/** One step, reset before the product (Cho et al. 2014). */
export function gruBeforeStep(x: Vector, h: Vector, { W, U, Un, b }: GruBeforeWeights): number[] {
  const units = h.length;
  const fromInput = plus(product(x, W), b);
  const fromState = product(h, U);
  const kept = h.map((previous, j) => sigmoid(fromInput[j]! + fromState[j]!) * previous);
  const candidate = product(kept, Un);
  return h.map((previous, j) => {
    const z = sigmoid(fromInput[units + j]! + fromState[units + j]!);
    const n = Math.tanh(fromInput[2 * units + j]! + candidate[j]!);
    return (1 - z) * n + z * previous;
  });
}

/** Runs a cell along each example's own steps; the result has zeros in the padding. `h0` is [batch][units]. */
function along<State>(
  x: Sequences,
  lengths: Vector,
  reverse: boolean,
  start: (example: number) => State,
  step: (x: Vector, state: State) => State,
  hidden: (state: State) => Vector,
): number[][][] {
  return x.map((steps, example) => {
    let state = start(example);
    const h = steps.map(() => zeros(hidden(state).length));
    for (const t of order(lengths[example]!, reverse)) {
      state = step(steps[t]!, state);
      h[t] = [...hidden(state)];
    }
    return h;
  });
}

/** Initial states, [batch][units]; zero when left out. */
export interface Start {
  readonly h0?: Matrix;
  readonly c0?: Matrix;
  readonly reverse?: boolean;
}

/** x [batch][steps][d] -> h [batch][steps][units]; `lengths` counts each example's real steps. */
export function lstmForward(
  x: Sequences,
  lengths: Vector,
  weights: LstmWeights,
  start: Start = {},
): number[][][] {
  const none = zeros(weights.U.length);
  return along(
    x,
    lengths,
    start.reverse ?? false,
    example => ({ h: start.h0?.[example] ?? none, c: start.c0?.[example] ?? none }),
    (input, { h, c }: { readonly h: Vector; readonly c: Vector }) => lstmStep(input, h, c, weights),
    ({ h }) => h,
  );
}

export function gruForward(
  x: Sequences,
  lengths: Vector,
  weights: GruWeights,
  start: Start = {},
): number[][][] {
  return along(
    x,
    lengths,
    start.reverse ?? false,
    (example): Vector => start.h0?.[example] ?? zeros(weights.U.length),
    (input, h) => gruStep(input, h, weights),
    h => h,
  );
}

export function gruBeforeForward(
  x: Sequences,
  lengths: Vector,
  weights: GruBeforeWeights,
  start: Start = {},
): number[][][] {
  return along(
    x,
    lengths,
    start.reverse ?? false,
    (example): Vector => start.h0?.[example] ?? zeros(weights.U.length),
    (input, h) => gruBeforeStep(input, h, weights),
    h => h,
  );
}

export interface AttentionWeights {
  /** Of the score v . tanh(q Wq + key) (Bahdanau et al. 2015): [units][keys] and [keys]. */
  readonly Wq: Matrix;
  readonly v: Vector;
  /** Of the decoder, over concat(input, context). */
  readonly gru: GruWeights;
}

/**
 * One step of an attention decoder over one example's `encoded` [s][e] with `keys` [s][keys]: the previous state asks,
 * the answer goes with the input into a GRU. Returns the new state and the weights of the source positions.
 */
export function attentionStep(
  x: Vector,
  d: Vector,
  encoded: Matrix,
  keys: Matrix,
  { Wq, v, gru }: AttentionWeights,
): { d: number[]; attention: number[] } {
  const query = product(d, Wq);
  const scores = keys.map(key => key.reduce((sum, k, j) => sum + v[j]! * Math.tanh(query[j]! + k), 0));
  const exponentials = scores.map(score => Math.exp(score - Math.max(...scores)));
  const total = exponentials.reduce((sum, e) => sum + e, 0);
  const attention = exponentials.map(e => e / total);
  const context = zeros(encoded[0]!.length);
  encoded.forEach((e, s) => {
    for (let j = 0; j < context.length; j++) context[j]! += attention[s]! * e[j]!;
  });
  return { d: gruStep([...x, ...context], d, gru), attention };
}

/** x [batch][t][..] with `lengths`, over the first `sourceLengths` positions of `encoded`, from d0 [batch][units]. */
export function attentionForward(
  x: Sequences,
  lengths: Vector,
  encoded: Sequences,
  keys: Sequences,
  sourceLengths: Vector,
  d0: Matrix,
  weights: AttentionWeights,
): number[][][] {
  return x.map((steps, example) => {
    const real = sourceLengths[example]!;
    return along(
      [steps],
      [lengths[example]!],
      false,
      (): Vector => d0[example]!,
      (input, d) =>
        attentionStep(input, d, encoded[example]!.slice(0, real), keys[example]!.slice(0, real), weights).d,
      d => d,
    )[0]!;
  });
}
