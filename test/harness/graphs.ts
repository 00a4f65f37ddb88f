// Hand-built recurrence graphs for tests of everything between lowering and backends: the usual cells and the shapes
// of recurrence that are easy to get wrong. Nothing here comes from the language.

import { differentiate } from "../../compiler/autodiff/differentiate.ts";
import type { AxisId, Graph, NodeId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";

/** x [.., n] @ w [n, m]. */
export const product = (b: GraphBuilder, x: NodeId, w: NodeId): NodeId =>
  b.contract(x, w, { left: [0], right: [0, 1], out: [1] });

export const dot = (b: GraphBuilder, x: NodeId, y: NodeId): NodeId =>
  b.contract(x, y, { left: [0], right: [0], out: [] });

const zeros = (b: GraphBuilder, units: number): NodeId => b.constant(0, "real", [units]);

const slot = (b: GraphBuilder, units: number): NodeId => b.placeholder({ dtype: "real", shape: [units] });

/** The mean over the batch of the sum along the axis of |h|^2. */
function squaredLoss(b: GraphBuilder, h: NodeId, axis: AxisId): void {
  const total = b.sum(dot(b, h, h), { axes: [axis], batch: true });
  b.output("loss", b.div(total, b.batchSize()));
  b.output("h", h);
}

export interface Cell {
  readonly h: NodeId;
  /** Binds to a later node, so that the caller may choose what is fed back. */
  readonly state: NodeId;
}

/** h[t] = tanh(x W + h[t-offset] U + b), from `initial`. */
export function elmanCell(
  b: GraphBuilder,
  name: string,
  x: NodeId,
  axis: AxisId,
  { units, offset = 1, initial }: { units: number; offset?: number; initial?: NodeId },
): NodeId {
  const [features = 1] = b.typeOf(x).shape;
  return b.withPlace({ label: name }, () => {
    const w = b.parameter(`${name}.W`, [features, units]);
    const u = b.parameter(`${name}.U`, [units, units]);
    const bias = b.parameter(`${name}.b`, [units]);
    const h = slot(b, units);
    const before = b.shift(h, initial ?? zeros(b, units), axis, offset);
    const next = b.tanh(b.add(b.add(product(b, x, w), product(b, before, u)), bias));
    b.bind(h, next);
    return next;
  });
}

/** As in the library: gates i, f, g, o in one product each way. */
export function lstmCell(b: GraphBuilder, name: string, x: NodeId, axis: AxisId, units: number): NodeId {
  const [features = 1] = b.typeOf(x).shape;
  return b.withPlace({ label: name }, () => {
    const w = b.parameter(`${name}.W`, [features, 4 * units]);
    const u = b.parameter(`${name}.U`, [units, 4 * units]);
    const bias = b.parameter(`${name}.b`, [4 * units]);
    const [h, c] = [slot(b, units), slot(b, units)];
    const before = b.shift(h, zeros(b, units), axis, 1);
    const z = b.add(b.add(product(b, x, w), product(b, before, u)), bias);
    const [i, f, g, o] = [0, 1, 2, 3].map(k => b.slice(z, 0, k * units, units)) as [
      NodeId,
      NodeId,
      NodeId,
      NodeId,
    ];
    const kept = b.mul(b.sigmoid(f), b.shift(c, zeros(b, units), axis, 1));
    const cell = b.add(kept, b.mul(b.sigmoid(i), b.tanh(g)));
    b.bind(c, cell);
    const out = b.mul(b.sigmoid(o), b.tanh(cell));
    b.bind(h, out);
    return out;
  });
}

/** Reset before the product, three separate matrices each way, as a user might write it. */
export function gruCell(b: GraphBuilder, name: string, x: NodeId, axis: AxisId, units: number): NodeId {
  const [features = 1] = b.typeOf(x).shape;
  return b.withPlace({ label: name }, () => {
    const h = slot(b, units);
    const before = b.shift(h, zeros(b, units), axis, 1);
    const level = (gate: string, state: NodeId): NodeId =>
      b.add(
        product(b, x, b.parameter(`${name}.W${gate}`, [features, units])),
        product(b, state, b.parameter(`${name}.U${gate}`, [units, units])),
      );
    const r = b.sigmoid(level("r", before));
    const z = b.sigmoid(level("z", before));
    const n = b.tanh(level("n", b.mul(r, before)));
    const next = b.add(b.mul(z, before), b.mul(b.sub(b.constant(1), z), n));
    b.bind(h, next);
    return next;
  });
}

function along(units: number, make: (b: GraphBuilder, x: NodeId, t: AxisId) => NodeId): Graph {
  const b = new GraphBuilder();
  const t = b.axis("t", null);
  const h = make(b, b.input("x", { shape: [units], axes: [t] }), t);
  squaredLoss(b, h, t);
  return b.finish();
}

export const elman = (units = 3): Graph => along(2, (b, x, t) => elmanCell(b, "h", x, t, { units }));

export const lstm = (units = 3, features = 2): Graph =>
  along(features, (b, x, t) => lstmCell(b, "h", x, t, units));

export const gru = (units = 3): Graph => along(2, (b, x, t) => gruCell(b, "h", x, t, units));

/** Lags 2 and 3 in one recurrence, and an advance by 2 in another. */
export function lags(units = 2): Graph {
  return along(2, (b, x, t) => {
    const u2 = b.parameter("h.U2", [units, units]);
    const u3 = b.parameter("h.U3", [units, units]);
    const h = slot(b, units);
    const zero = zeros(b, units);
    const past = b.add(product(b, b.shift(h, zero, t, 2), u2), product(b, b.shift(h, zero, t, 3), u3));
    const next = b.tanh(b.add(past, product(b, x, b.parameter("h.W", [2, units]))));
    b.bind(h, next);
    return elmanCell(b, "g", next, t, { units, offset: -2 });
  });
}

/** Two directions; the backward one starts from a learnt state. */
export function bidirectional(units = 2): Graph {
  return along(2, (b, x, t) => {
    const forward = elmanCell(b, "f", x, t, { units });
    const initial = b.tanh(b.parameter("b.start", [units]));
    const backward = elmanCell(b, "b", x, t, { units, offset: -1, initial });
    return b.concat([forward, backward], 0);
  });
}

/** A sum over all steps of a recurrence that another sum over all steps reads. */
export function sumOfSums(units = 2): Graph {
  const b = new GraphBuilder();
  const t = b.axis("t", null);
  const h = elmanCell(b, "h", b.input("x", { shape: [2], axes: [t] }), t, { units });
  const total = b.sum(h, { axes: [t] });
  const spread = b.sum(b.mul(h, total), { axes: [t] });
  b.output("loss", b.div(b.sum(spread, { dims: [0], batch: true }), b.batchSize()));
  b.output("h", h);
  return b.finish();
}

/** A product summed over the steps of a backward recurrence, whose other factor is the same at all of them. */
export function weighted(units = 4): Graph {
  const b = new GraphBuilder();
  const t = b.axis("t", null);
  const h = elmanCell(b, "h", b.input("x", { shape: [2], axes: [t] }), t, { units, offset: -1 });
  const weight = b.input("weight", {});
  const over = { left: [0], right: [], out: [0], axes: [t], batch: true };
  const total = b.contract(h, weight, over);
  b.output("loss", b.div(b.sum(total, { dims: [0] }), b.batchSize()));
  b.output("h", h);
  return b.finish();
}

/** One recurrence inside another: along s within each t, whose last value feeds the next t. */
export function twoLevel(units = 2): Graph {
  const b = new GraphBuilder();
  const t = b.axis("t", null);
  const s = b.axis("s", null);
  const x = b.input("x", { shape: [2], axes: [t, s] });
  const top = slot(b, units);
  const start = b.shift(top, zeros(b, units), t, 1);
  const word = elmanCell(b, "word", x, s, { units, initial: b.broadcast(start, { axes: [s] }) });
  const u = b.parameter("top.U", [units, units]);
  const next = b.tanh(product(b, b.at(word, s, "last"), u));
  b.bind(top, next);
  squaredLoss(b, next, t);
  return b.finish();
}

/** h[i,j] = tanh(x W + h[i-1,j] U + h[i,j-1] V). */
export function grid(units = 2): Graph {
  const b = new GraphBuilder();
  const i = b.axis("i", null);
  const j = b.axis("j", null);
  const x = b.input("x", { shape: [2], axes: [i, j] });
  const h = slot(b, units);
  const zero = zeros(b, units);
  const parts = [
    product(b, x, b.parameter("h.W", [2, units])),
    product(b, b.shift(h, zero, i, 1), b.parameter("h.U", [units, units])),
    product(b, b.shift(h, zero, j, 1), b.parameter("h.V", [units, units])),
  ];
  const next = b.tanh(parts.reduce((sum, part) => b.add(sum, part)));
  b.bind(h, next);
  const total = b.sum(dot(b, next, next), { axes: [i, j], batch: true });
  b.output("loss", b.div(total, b.batchSize()));
  b.output("h", next);
  return b.finish();
}

/** A decoder whose recurrence passes through a softmax over the encoder's axis. */
export function attention(units = 2): Graph {
  const b = new GraphBuilder();
  const s = b.axis("s", null);
  const t = b.axis("t", null);
  const source = b.input("source", { shape: [2], axes: [s] });
  const y = b.input("y", { shape: [2], axes: [t] });
  const enc = elmanCell(b, "enc", source, s, { units });
  const key = product(b, enc, b.parameter("key.W", [units, units]));
  const d = slot(b, units);
  const before = b.shift(d, b.tanh(b.at(enc, s, "last")), t, 1);
  const query = product(b, before, b.parameter("query.W", [units, units]));
  const score = dot(b, b.tanh(b.add(query, key)), b.parameter("score.v", [units]));
  const weight = b.expdiff(score, b.logsumexp(score, { axes: [s] }));
  const context = b.contract(weight, enc, { left: [], right: [0], out: [0], axes: [s] });
  const u = b.parameter("d.U", [2 * units + 2, units]);
  const next = b.tanh(product(b, b.concat([before, context, y], 0), u));
  b.bind(d, next);
  squaredLoss(b, next, t);
  return b.finish();
}

/** Three LSTM layers between an embedding and a softmax over words. */
export function languageModel(units = 8, words = 11): Graph {
  const b = new GraphBuilder();
  const t = b.axis("t", null);
  const word = b.input("word", { dtype: "index", axes: [t] });
  const next = b.input("next", { dtype: "index", axes: [t] });
  let h = b.gather(b.parameter("embedding.E", [words, units]), word);
  for (const name of ["l1", "l2", "l3"]) h = lstmCell(b, name, h, t, units);
  const bias = b.parameter("logits.b", [words]);
  const logits = b.add(product(b, h, b.parameter("logits.W", [units, words])), bias);
  const entropy = b.sub(b.logsumexp(logits, { dims: [0] }), b.gather(logits, next));
  b.output("loss", b.div(b.sum(entropy, { axes: [t], batch: true }), b.batchSize()));
  return b.finish();
}

export const graphs = {
  elman,
  lstm,
  gru,
  lags,
  bidirectional,
  sumOfSums,
  weighted,
  twoLevel,
  grid,
  attention,
  languageModel,
};

/** The graph with an output `gradient.NAME` for each parameter. */
export function withGradients(graph: Graph): Graph {
  const parameters = [...graph.nodes.values()].filter(node => node.op === "parameter");
  const wrt = parameters.map(({ id }) => id);
  const { graph: whole, gradients } = differentiate(graph, graph.outputs.get("loss")!, wrt);
  const b = GraphBuilder.from(whole);
  for (const { id, attrs } of parameters) b.output(`gradient.${attrs.name}`, gradients.get(id)!);
  return b.finish();
}
