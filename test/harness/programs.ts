// Random valid programs in the language, as text: each equation is drawn from what the names before it allow, so the
// result type-checks by construction. Functions are smooth and bounded, so that central differences mean something.

import fc from "fast-check";

/** A name that later equations can use. `axes` in the model's order; features are one dimension of `size`, or none. */
interface Name {
  readonly name: string;
  readonly axes: readonly string[];
  readonly size: number | null;
}

interface Draft {
  readonly lines: string[];
  readonly names: Name[];
  /** Layers defined beside the model. */
  readonly layers: string[];
}

/** A source of choices: fast-check's, so that failing programs shrink to fewer and simpler equations. */
interface Choice {
  /** An integer from 0 to n-1. */
  below(n: number): number;
}

const read = ({ name, axes }: Name, shift: Readonly<Record<string, string>> = {}): string =>
  axes.length === 0 ? name : `${name}[${axes.map(axis => axis + (shift[axis] ?? "")).join(", ")}]`;

const pick = <T>(choice: Choice, items: readonly T[]): T => items[choice.below(items.length)]!;

const functions = ["tanh", "sigmoid", "sin", "softsign", "cos"] as const;

/** Adds an equation (or a few that belong together); returns false where the names at hand do not allow it. */
type Form = (draft: Draft, choice: Choice, fresh: string) => boolean;

function vectorOver(draft: Draft, choice: Choice, axis: string | null): Name | null {
  const fitting = draft.names.filter(
    one => one.size !== null && (axis === null ? true : one.axes.length === 1 && one.axes[0] === axis),
  );
  return fitting.length === 0 ? null : pick(choice, fitting);
}

const forms: Readonly<Record<string, Form>> = {
  elementwise(draft, choice, fresh) {
    const a = pick(choice, draft.names);
    const same = draft.names.filter(one => one.size === a.size || one.size === null);
    const b = pick(choice, same);
    const axes = ["s", "t"].filter(axis => a.axes.includes(axis) || b.axes.includes(axis));
    const operator = pick(choice, ["+", "-", "*"]);
    const f = pick(choice, functions);
    const target = { name: fresh, axes, size: a.size };
    draft.lines.push(`${read(target)} = ${f}(${read(a)} ${operator} ${read(b)})`);
    draft.names.push(target);
    return true;
  },

  quotient(draft, choice, fresh) {
    const a = pick(choice, draft.names);
    const target = { ...a, name: fresh };
    const form = pick(choice, [
      `${read(a)} / (1 + square(${read(a)}))`,
      `log(1.5 + square(${read(a)}))`,
      `sqrt(0.5 + square(${read(a)}))`,
      `where(${read(a)} > 0.1, sin(${read(a)}), 0.5 * ${read(a)})`,
      `exp(-square(${read(a)}))`,
      `softplus(${read(a)}) - 0.3`,
    ]);
    draft.lines.push(`${read(target)} = ${form}`);
    draft.names.push(target);
    return true;
  },

  product(draft, choice, fresh) {
    const a = vectorOver(draft, choice, null);
    if (a === null) return false;
    const size = 1 + choice.below(3);
    const target = { name: fresh, axes: a.axes, size };
    draft.lines.push(`param ${fresh}W: real[${a.size}, ${size}] = glorotUniform()`);
    draft.lines.push(`${read(target)} = tanh(${read(a)} @ ${fresh}W)`);
    draft.names.push(target);
    return true;
  },

  layer(draft, choice, fresh) {
    const axis = pick(choice, ["t", "s"]);
    const a = vectorOver(draft, choice, axis);
    if (a === null) return false;
    const layer = pick(choice, ["elman", "lstm", "gru", "gruBefore"]);
    const target = { name: fresh, axes: [axis], size: 1 + choice.below(2) };
    const direction = choice.below(3) === 0 ? `-${axis}` : axis;
    draft.lines.push(`${read(target)} = ${layer}[${direction}](${read(a)}, ${target.size})`);
    draft.names.push(target);
    return true;
  },

  recurrence(draft, choice, fresh) {
    const axis = pick(choice, ["t", "s"]);
    const a = vectorOver(draft, choice, axis);
    if (a === null) return false;
    const target = { name: fresh, axes: [axis], size: a.size };
    const lag = `${pick(choice, ["-", "+"])}${1 + choice.below(3)}`;
    draft.lines.push(`param ${fresh}U: real[${a.size}, ${a.size}] = orthogonal()`);
    draft.lines.push(`${read(target)} = tanh(${read(a)} + ${read(target, { [axis]: lag })} @ ${fresh}U)`);
    if (choice.below(2) === 0) {
      const side = lag.startsWith("-") ? `${axis}<0` : `${axis}>last`;
      draft.lines.push(
        `param ${fresh}0: real[${a.size}] = normal(0, 0.5)`,
        `${fresh}[${side}] = tanh(${fresh}0)`,
      );
    }
    draft.names.push(target);
    return true;
  },

  pair(draft, choice, fresh) {
    const a = vectorOver(draft, choice, "t");
    if (a === null) return false;
    const h = { name: fresh, axes: ["t"], size: a.size };
    const c = { name: `${fresh}c`, axes: ["t"], size: a.size };
    draft.lines.push(
      `${read(c)} = 0.5 * ${read(c, { t: "-1" })} + sin(${read(h, { t: `-${1 + choice.below(2)}` })} + ${read(a)})`,
      `${read(h)} = tanh(${read(c)} * ${read(h, { t: "-1" })} + ${read(a)})`,
    );
    draft.names.push(h, c);
    return true;
  },

  look(draft, choice, fresh) {
    const a = pick(
      choice,
      draft.names.filter(one => one.axes.length > 0),
    );
    const axis = pick(choice, a.axes);
    const target = { ...a, name: fresh };
    draft.lines.push(
      `${read(target)} = ${read(a, { [axis]: pick(choice, ["-1", "+1", "-2", "+2"]) })} - 0.5 * ${read(a)}`,
    );
    draft.names.push(target);
    return true;
  },

  reduce(draft, choice, fresh) {
    const a = pick(
      choice,
      draft.names.filter(one => one.axes.length > 0),
    );
    const axis = pick(choice, a.axes);
    const target = { ...a, name: fresh, axes: a.axes.filter(one => one !== axis) };
    const whole = pick(choice, ["sum", "mean", "logsumexp", "max", "last", "first"]);
    const end = whole === "last" || whole === "first";
    const value = end
      ? `${a.name}[${a.axes.map(one => (one === axis ? whole : one)).join(", ")}]`
      : `${whole}[${axis}](${read(a)})`;
    draft.lines.push(`${read(target)} = 0.5 * ${value}`);
    draft.names.push(target);
    return true;
  },

  features(draft, choice, fresh) {
    const a = vectorOver(draft, choice, null);
    if (a === null) return false;
    const form = pick(choice, [
      [`softmax(${read(a)})`, a.size],
      [`concat(${read(a)}, ones(1))`, a.size! + 1],
      [`sum(${read(a)})`, null],
      [`logSoftmax(${read(a)}) * 0.2`, a.size],
      [`${read(a)} - mean(${read(a)})`, a.size],
      [`slice(${read(a)}, 0, 1)`, 1],
      [`${read(a)} @ ${read(a)} * 0.1`, null],
    ] as const);
    const target = { ...a, name: fresh, size: form[1] };
    draft.lines.push(`${read(target)} = ${form[0]}`);
    draft.names.push(target);
    return true;
  },

  attention(draft, choice, fresh) {
    const query = vectorOver(draft, choice, "t");
    const keys = draft.names.filter(
      one => one.axes.length === 1 && one.axes[0] === "s" && one.size === query?.size,
    );
    if (query === null || keys.length === 0) return false;
    const key = pick(choice, keys);
    const target = { name: fresh, axes: ["t"], size: query.size };
    const looking = choice.below(2) === 0 ? read(query) : read(target, { t: "-1" });
    draft.lines.push(
      `${fresh}e[s, t] = ${looking} @ ${read(key)}`,
      `${fresh}a[s, t] = softmax[s](${fresh}e[s, t])`,
      `${read(target)} = tanh(sum[s](${fresh}a[s, t] * ${read(key)}) + ${read(query)})`,
    );
    draft.names.push(target);
    return true;
  },

  ownLayer(draft, choice, fresh) {
    const axis = pick(choice, ["t", "s"]);
    const a = vectorOver(draft, choice, axis);
    if (a === null) return false;
    const target = { name: fresh, axes: [axis], size: 1 + choice.below(2) };
    draft.layers.push(`layer ${fresh}Cell[t](x[t]: real[d], n: size) -> h[t] {
  param W: real[d, n] = glorotUniform()
  param U: real[n, n] = orthogonal()
  ${pick(choice, cells)}
}
`);
    if (choice.below(3) === 0) {
      // The same parameters, run both ways.
      draft.lines.push(
        `share ${fresh}L = ${fresh}Cell(${target.size})`,
        `${read(target)} = ${fresh}L[${axis}](${read(a)}) + ${fresh}L[-${axis}](${read(a)})`,
      );
    } else {
      const direction = choice.below(3) === 0 ? `-${axis}` : axis;
      draft.lines.push(`${read(target)} = ${fresh}Cell[${direction}](${read(a)}, ${target.size})`);
    }
    draft.names.push(target);
    return true;
  },

  start(draft, choice, fresh) {
    const a = vectorOver(draft, choice, "t");
    const v = draft.names.find(one => one.name === "v")!;
    if (a === null) return false;
    const target = { name: fresh, axes: ["t"], size: 2 };
    const [layer, direction, side] = pick(choice, [
      ["gru", "t", "t<0"],
      ["elman", "-t", "t>last"],
      ["gruBefore", "t", "t<0"],
    ] as const);
    draft.lines.push(
      `${read(target)} = ${layer}[${direction}](${read(a)}, 2)`,
      `${fresh}[${side}] = tanh(dense(${read(v)}, 2))`,
    );
    draft.names.push(target);
    return true;
  },

  states(draft, choice, fresh) {
    const a = vectorOver(draft, choice, "t");
    if (a === null) return false;
    const h = { name: fresh, axes: ["t"], size: 2 };
    const c = { name: `${fresh}c`, axes: ["t"], size: 2 };
    draft.lines.push(`(${read(h)}, ${read(c)}) = lstm[t](${read(a)}, 2)`, `${c.name}[t<0] = fill(2, 0.5)`);
    draft.names.push(h, c);
    return true;
  },

  symbols(draft, choice, fresh) {
    const target = { name: fresh, axes: ["t"], size: 2 };
    const value = pick(choice, ["embedding(k[t], 3, 2)", `oneHot(k[t], 3) @ ${fresh}E`]);
    if (value.endsWith("E")) draft.lines.push(`param ${fresh}E: real[3, 2] = normal(0, 1)`);
    draft.lines.push(`${read(target)} = ${value}`);
    draft.names.push(target);
    return true;
  },

  window(draft, choice, fresh) {
    const a = vectorOver(draft, choice, "t");
    if (a === null) return false;
    const target = { name: fresh, axes: ["t"], size: 2 };
    draft.lines.push(
      `axis ${fresh}k = 0..${1 + choice.below(2)}`,
      `param ${fresh}W[${fresh}k]: real[${a.size}, 2] = glorotUniform()`,
      `${read(target)} = tanh(sum[${fresh}k](${a.name}[t-${pick(choice, ["", "2*"])}${fresh}k] @ ${fresh}W[${fresh}k]))`,
    );
    draft.names.push(target);
    return true;
  },

  depth(draft, choice, fresh) {
    const a = vectorOver(draft, choice, "t");
    if (a === null) return false;
    const target = { name: fresh, axes: ["t"], size: a.size };
    const deep = `${fresh}y`;
    const l = `${fresh}l`;
    draft.lines.push(
      `axis ${l} = 0..2`,
      `param ${fresh}U[${l}]: real[${a.size}, ${a.size}] = orthogonal()`,
      `${deep}[t, ${l}] = tanh(${deep}[t, ${l}-1] @ ${fresh}U[${l}] + 0.5 * ${deep}[t-1, ${l}])`,
      `${deep}[t, ${l}<0] = ${read(a)}`,
      `${read(target)} = ${deep}[t, last]`,
    );
    draft.names.push(target);
    return true;
  },

  dropped(draft, choice, fresh) {
    const a = vectorOver(draft, choice, null);
    if (a === null) return false;
    const target = { ...a, name: fresh };
    draft.lines.push(`${read(target)} = dropout(${read(a)}, 0.3)`);
    draft.names.push(target);
    return true;
  },

  grid(draft, choice, fresh) {
    const a = vectorOver(draft, choice, "t");
    const b = draft.names.filter(one => one.axes.length === 1 && one.axes[0] === "s" && one.size === a?.size);
    if (a === null || b.length === 0) return false;
    const target = { name: fresh, axes: ["s", "t"], size: a.size };
    const back = choice.below(2) === 0 ? "-1" : "+1";
    draft.lines.push(
      `${read(target)} = tanh(${read(a)} + ${read(pick(choice, b))} + 0.5 * ${read(target, { s: "-1" })} - 0.4 * ${read(target, { t: back })})`,
    );
    draft.names.push(target);
    return true;
  },
};

/** Bodies of layers of one's own, each with state; `n` units from `d` features. */
const cells = [
  "h[t] = tanh(x[t] @ W + h[t-1] @ U)",
  "h[t] = f[t] * h[t-1] + (1 - f[t]) * (x[t] @ W)\n  f[t] = sigmoid(x[t] @ W + h[t-2])",
  "h[t] = sin(x[t] @ W + s[t-1])\n  s[t] = 0.9 * s[t-1] + 0.1 * h[t]",
  "h[t] = x[t] @ W + where(index(t) == 0, 0, 0.3) * tanh(h[t-1] @ U) + 0.1 * real(length(t) - index(t))",
  "h[t] = tanh(g[t] + g[t+1])\n  g[t] = x[t] @ W + 0.5 * (g[t+1] @ U)",
  "h[t] = elman[-t](a[t], n)\n  a[t] = elman[t](x[t], n) + 0 * sum(W) + 0 * sum(U)",
];

/** The program that a list of choices stands for: the same list always gives the same text. */
function programOf(choices: readonly number[]): string {
  let at = 0;
  const choice: Choice = { below: n => (choices[at++ % choices.length] ?? 0) % n };
  const sizes = [1 + choice.below(3), 1 + choice.below(3)];
  const draft: Draft = {
    layers: [],
    lines: [],
    names: [
      { name: "x", axes: ["t"], size: sizes[0]! },
      { name: "z", axes: ["s"], size: choice.below(2) === 0 ? sizes[0]! : sizes[1]! },
      { name: "v", axes: [], size: sizes[0]! },
    ],
  };
  const [x, z, v] = draft.names;
  const names = Object.keys(forms);
  const count = 2 + choice.below(9);
  for (let i = 0; i < count; i++) forms[pick(choice, names)]!(draft, choice, `n${i}`);
  const terms = draft.names.slice(3).map(one => {
    const square = `square(${read(one)})`;
    const scalar = one.size === null ? square : `sum(${square})`;
    return one.axes.reduce((inner, axis) => `mean[${axis}](${inner})`, scalar);
  });
  return `${draft.layers.join("\n")}model Random() {
  axis s, t
  input x[t]: real[${x!.size}]
  input z[s]: real[${z!.size}]
  input k[t]: index(3)
  param v: real[${v!.size}] = normal(0, 1)
  ${draft.lines.join("\n  ")}
  loss = ${["sum(square(v)) * 0.1", ...terms].join(" + ")} + 0.01 * mean[t](sum(x[t])) + 0.01 * mean[s](sum(z[s])) + 0.01 * mean[t](real(k[t]))
}
`;
}

/** Texts of random valid programs with inputs `x[t]` and `z[s]` and a loss. */
export const programs = (): fc.Arbitrary<string> =>
  fc.array(fc.nat(1_000), { minLength: 24, maxLength: 64 }).map(programOf);
