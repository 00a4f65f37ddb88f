// Feeds, states and calls that cannot be: every backend refuses them with the same words, those of spec/errors, and
// with nothing but a FrondError. The pages' frames are pinned; FROND_UPDATE=1 writes them anew.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { CompileOptions, Executable, Feeds, State, Tensor } from "../../backends/api.ts";
import { backends, openBackend } from "../../backends/registry.ts";
import type { Diagnostic, DiagnosticCode } from "../../compiler/diagnostics/diagnostic.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { render } from "../../compiler/diagnostics/render.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/index.ts";
import { conformingBackends } from "../harness/backends.ts";
import { compileText } from "../harness/models.ts";

const tagger = compileText(
  "tagger.frond",
  `model Tagger {
  axis t
  axis k = 0..2
  input  x[t]: real[2]
  input  word[t]: index(50)
  input  width[k]: real
  target y[t]: index(3)

  h[t]      = elman[t](concat(x[t], embedding(word[t], 50, 2)), 4)
  logits[t] = dense(h[t], 3) * sum[k](width[k])
  output p[t] = softmax(logits[t])
  loss        = mean[t](crossEntropy(logits[t], y[t]))
}
`,
);

/** Nothing that is fed has its axis. */
const counter = compileText(
  "counter.frond",
  "model Counter {\n  axis t\n  output p[t] = real(index(t))\n}\n",
);

/** 40 GB for a thousand examples. */
const wide = compileText(
  "wide.frond",
  "model Wide {\n  input x: real[2]\n  output p = exp(sum(x) * fill(5000000, 1))\n}\n",
);

const reals = (...shape: readonly number[]): Tensor => ({
  dtype: "real",
  shape,
  data: new Float32Array(shape.reduce((n, m) => n * m, 1)).fill(0.5),
});
const positions = (...shape: readonly number[]): Tensor => ({
  dtype: "index",
  shape,
  data: new Int32Array(shape.reduce((n, m) => n * m, 1)),
});

interface Call {
  readonly batch?: number;
  readonly inputs?: Readonly<Record<string, Tensor | null>>;
  readonly lengths?: Readonly<Record<string, readonly number[]>>;
}

/** Sound feeds of two examples with four steps, changed; null takes an input away. */
function feeds({ batch = 2, inputs = {}, lengths = {} }: Call = {}): Feeds {
  const all = { x: reals(2, 4, 2), word: positions(2, 4), width: reals(2, 3), ...inputs };
  return {
    batch,
    inputs: new Map(
      Object.entries(all).flatMap(([name, tensor]) => (tensor === null ? [] : [[name, tensor] as const])),
    ),
    lengths: new Map(Object.entries(lengths).map(([axis, own]) => [axis as AxisId, Int32Array.from(own)])),
    seed: 0,
    step: 0,
  };
}

/** The tagger's weights, changed; null takes one away. */
function weights(changes: Readonly<Record<string, Tensor | null>> = {}): ReadonlyMap<string, Tensor> {
  const values = new Map<string, Tensor>();
  for (const { name, shape } of tagger.infer().parameters) values.set(name, reals(...shape));
  for (const [name, tensor] of Object.entries(changes)) {
    if (tensor === null) values.delete(name);
    else values.set(name, tensor);
  }
  return values;
}

/** What a misuse is tried on. */
interface Subject {
  readonly executable: Executable;
  readonly state: State;
  /** By the same backend, with other options if any are given. */
  readonly compile: (program: Program, options?: CompileOptions) => Promise<Executable>;
}
type Misuse = (subject: Subject) => unknown;

const runs =
  (call: Call): Misuse =>
  ({ executable, state }) =>
    executable.run(feeds(call), state);
const creates =
  (changes: Readonly<Record<string, Tensor | null>>): Misuse =>
  ({ executable }) =>
    executable.createState(weights(changes));

/** Zeros but for one position. */
function word(place: number, value: number): Tensor {
  const tensor = positions(2, 4);
  tensor.data[place] = value;
  return tensor;
}

type Ours = Extract<DiagnosticCode, `F080${string}` | `F081${string}` | "F0903" | "F0904" | "F0905">;

/** One case a page. */
const pages: { readonly [C in Ours]: Misuse } = {
  F0801: runs({ inputs: { x: null } }),
  F0802: runs({ inputs: { wort: positions(2, 4) } }),
  F0803: runs({ inputs: { word: reals(2, 4) } }),
  F0804: runs({ inputs: { x: reals(2, 4, 3) } }),
  F0805: runs({ inputs: { x: { ...reals(2, 4), shape: [2, 4, 2] } } }),
  F0806: runs({ batch: 3, inputs: { word: positions(3, 4), width: reals(3, 3) } }),
  F0807: runs({ lengths: { t: [4] } }),
  F0808: runs({ lengths: { t: [4, 5] } }),
  F0809: runs({ inputs: { word: word(3, 50) } }),
  F0810: async ({ compile }) => {
    const executable = await compile(counter.infer());
    return executable.run({ ...feeds(), inputs: new Map() }, executable.createState(new Map()));
  },
  F0811: runs({ inputs: { word: positions(2, 3) } }),
  F0812: runs({ lengths: { time: [3, 4] } }),
  F0813: creates({ "h.V": reals(4, 4) }),
  F0814: creates({ "h.U": null }),
  F0815: creates({ "h.W": reals(4, 5) }),
  F0816: creates({ "h.W": positions(4, 4) }),
  F0817: creates({ "h.W": { ...reals(4), shape: [4, 4] } }),
  F0818: async ({ executable, state }) => {
    const results = await executable.run(feeds(), state);
    results.dispose();
    return results.read("output.p");
  },
  F0819: async ({ compile, state }) =>
    (await compile(counter.infer())).run({ ...feeds({ lengths: { t: [4, 4] } }), inputs: new Map() }, state),
  F0903: ({ compile }) => compile(tagger.infer(), { unroll: 0 }),
  F0904: runs({ batch: -1 }),
  F0905: async ({ compile }) => {
    const executable = await compile(wide.infer());
    const inputs = new Map([["x", reals(1000, 2)]]);
    return executable.run({ ...feeds({ batch: 1000 }), inputs }, executable.createState(new Map()));
  },
};

/** More of the same, with what each says. */
const others: readonly (readonly [Misuse, string])[] = [
  [runs({ inputs: { xyz: reals(2) } }), "F0802: the program has no input `xyz`"],
  [
    runs({ inputs: { x: { ...positions(2, 4, 2), dtype: "real" } } }),
    "F0803: input `x` is `real` in Int32Array, expected real",
  ],
  [runs({ inputs: { word: word(6, -1) } }), "F0809: input `word` holds -1 at [1, 2], expected 0 to 49"],
  [
    async ({ executable, state }) => (await executable.run(feeds(), state)).read("output.q"),
    "F0813: `output.q` is no result of the program",
  ],
  [({ state }) => state.read("h.V"), "F0813: `h.V` is no parameter or state of the program"],
  [
    creates({ "h.W": { ...positions(4, 4), dtype: "real" } }),
    "F0816: parameter `h.W` is `real` in Int32Array, expected real",
  ],
  [
    ({ executable, state }) => {
      executable.dispose();
      return executable.run(feeds(), state);
    },
    "F0818: the executable of `Tagger.infer` was disposed of, and is used again",
  ],
  [
    ({ executable }) => {
      executable.dispose();
      executable.dispose();
      return executable.createState(weights());
    },
    "F0818: the executable of `Tagger.infer` was disposed of, and is used again",
  ],
  [
    ({ executable, state }) => {
      state.dispose();
      return executable.run(feeds(), state);
    },
    "F0818: the state was disposed of, and is used again",
  ],
  [
    ({ state }) => {
      state.dispose();
      state.dispose();
      return state.read("h.W");
    },
    "F0818: the state was disposed of, and is used again",
  ],
  [
    async ({ compile, state }) =>
      (await compile(tagger.train())).run(feeds({ inputs: { y: positions(2, 4) } }), state),
    "F0819: the state does not belong to the program `Tagger.train`: its parameters and states are others",
  ],
  [runs({ batch: 1.5 }), "F0904: the batch is 1.5, expected a whole number"],
];

async function withSubject<T>(
  name: string,
  options: CompileOptions,
  use: (subject: Subject) => Promise<T>,
): Promise<T> {
  const backend = await openBackend(name);
  const compile = (program: Program, own = options) => backend.compile(program, own);
  const executable = await compile(tagger.infer());
  const state = executable.createState(weights());
  try {
    return await use({ executable, state, compile });
  } finally {
    state.dispose();
    executable.dispose();
  }
}

/** What the misuse ends with; anything but a FrondError is passed on. */
async function diagnosticsOf(misuse: Misuse, subject: Subject): Promise<readonly Diagnostic[]> {
  try {
    await misuse(subject);
    return [];
  } catch (error) {
    if (error instanceof FrondError) return error.diagnostics;
    throw error;
  }
}

const folder = join(import.meta.dirname, "..", "..", "spec", "errors");
const variants: readonly CompileOptions[] = [{}, { unroll: 2 }, { unroll: "full" }];

describe.each(["reference", ...conformingBackends])("%s", name => {
  test.each(Object.entries(pages))("%s is said as its page shows it", async (code, misuse) => {
    const path = join(folder, `${code}.md`);
    const page = readFileSync(path, "utf8");
    for (const options of variants) {
      const found = await withSubject(name, options, subject => diagnosticsOf(misuse, subject));
      expect(found.map(diagnostic => diagnostic.code)).toEqual([code]);
      const frame = `${render(found, { color: false }).trimEnd()}\n`;
      if (process.env.FROND_UPDATE === "1") {
        writeFileSync(
          path,
          page.replace(/(## Frame\n\n```text\n)[\s\S]*?(```)/, (_, head, tail) => head + frame + tail),
        );
      } else expect(page).toContain(`\`\`\`text\n${frame}\`\`\`\n`);
    }
  });

  test.each(others.map(([misuse, title]) => [title, misuse] as const))("%s", async (title, misuse) => {
    for (const options of variants) {
      const [found] = await withSubject(name, options, subject => diagnosticsOf(misuse, subject));
      expect(`${found?.code}: ${found?.title}`).toBe(title);
    }
  });

  test("all that is wrong with a state is said at once", async () => {
    const wrong = creates({ "h.U": null, "h.V": reals(1), "h.W": reals(1), "h.b": positions(4) });
    const found = await withSubject(name, {}, subject => diagnosticsOf(wrong, subject));
    expect(found.map(({ code }) => code)).toEqual(["F0815", "F0814", "F0816", "F0813"]);
  });

  test("the state of another backend is refused", async () => {
    const other = backends.find(backend => backend.name !== name)!.name;
    const misuse: Misuse = ({ state }) =>
      withSubject(name, {}, ({ executable }) => executable.run(feeds(), state));
    const [found] = await withSubject(other, {}, subject => diagnosticsOf(misuse, subject));
    expect(found?.title).toContain("another backend made it");
  });

  test("what is refused changes nothing: the next call runs", async () => {
    await withSubject(name, {}, async ({ executable, state }) => {
      const first = await (await executable.run(feeds(), state)).read("output.p");
      for (const misuse of [runs({ inputs: { x: null } }), runs({ inputs: { word: word(0, 50) } })]) {
        await expect(async () => misuse({ executable, state, compile: () => Promise.reject() })).rejects.toThrow(FrondError); // biome-ignore format: one call
      }
      expect(await (await executable.run(feeds(), state)).read("output.p")).toEqual(first);
    });
  });
});
