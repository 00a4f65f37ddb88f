// The pages F0820 and up, F0906 to F0908, and F0920 and up, tell the truth: their bad examples are carried out and
// reported with the page's code and frame, their good ones (where they can be carried out) with nothing.
// FROND_UPDATE=1 writes frames.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Tensor } from "../../backends/api.ts";
import { reference } from "../../backends/reference/index.ts";
import type { Diagnostic, DiagnosticCode } from "../../compiler/diagnostics/diagnostic.ts";
import { render } from "../../compiler/diagnostics/render.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import type { InputSpec } from "../../compiler/lower/model.ts";
import { readSafetensors, writeSafetensors } from "../../runtime/checkpoints/safetensors.ts";
import { explained } from "../../runtime/cli/guard.ts";
import { bind } from "../../runtime/data/bind.ts";
import { makeDataset, readDataset } from "../../runtime/data/dataset.ts";
import { readNpy } from "../../runtime/data/npy.ts";
import { writeNpz } from "../../runtime/data/npz.ts";
import { sampleDataset } from "../../runtime/data/sample.ts";
import { Session } from "../../runtime/session.ts";
import { zeros } from "../../runtime/tensor.ts";
import { run } from "../cli/harness.ts";
import { diagnosticsOf } from "./codes.ts";
import { inputs, tagger } from "./tagger.ts";

type Ours = Extract<
  DiagnosticCode,
  `F08${2 | 3 | 4 | 5}${string}` | `F092${string}` | "F0906" | "F0907" | "F0908"
>;

/** How a page's examples are carried out. */
type Example =
  /** The command of its `sh` block, in a folder with the files below. */
  | { readonly kind: "command" }
  /** The `json` block as data for these inputs. */
  | { readonly kind: "data"; readonly inputs: readonly InputSpec[] }
  /** What the block stands for. */
  | { readonly kind: "action"; readonly run: () => unknown };

const t = "t" as AxisId;
const input = (name: string, rest: Partial<InputSpec>): InputSpec => ({
  name,
  role: "input",
  dtype: "real",
  shape: [],
  axes: [t],
  classes: null,
  span: null,
  ...rest,
});
const x = input("x", { shape: [1] });
const y = input("y", { dtype: "index", classes: 10 });
const command: Example = { kind: "command" };
const data = (...own: readonly InputSpec[]): Example => ({ kind: "data", inputs: own });
const pairs = input("x", { shape: [2] });

const examples: { readonly [C in Ours]: Example } = {
  F0820: command,
  F0821: command,
  F0822: command,
  F0823: command,
  F0824: command,
  F0825: { kind: "action", run: () => loadWeights({ name: "h.W", shape: [2, 16], dtype: "real" }) },
  F0826: command,
  F0827: { kind: "action", run: () => readSafetensors(halfPrecision(), "w.safetensors") },
  F0830: command,
  F0831: { kind: "action", run: () => readNpy(strings(), "x", "train.npz") },
  F0832: data(x),
  F0833: data(x),
  F0834: { kind: "action", run: () => bindTransposed() },
  F0835: data(y),
  F0836: data(y),
  F0837: data(x),
  F0838: data(x, y),
  F0839: data(x, y),
  F0840: data(x),
  F0841: data(x),
  F0842: data(pairs),
  F0843: command,
  F0844: { kind: "action", run: () => generateWithout() },
  F0845: data(x),
  F0846: { kind: "action", run: () => Promise.reject(explained(tooLarge())) },
  F0847: { kind: "action", run: () => loadWeights({ name: "h.b", shape: [4], dtype: "index" }) },
  F0848: { kind: "action", run: () => evaluateNothing() },
  F0850: command,
  F0906: command,
  F0907: command,
  F0908: { kind: "action", run: () => new Session({ model: tagger, backend: reference, memory: -1 }) },
  F0920: command,
  F0921: command,
  F0922: command,
  F0923: command,
  F0924: command,
  F0925: command,
  F0926: command,
  F0927: command,
  F0928: command,
  F0929: command,
};

const pages = join(import.meta.dirname, "..", "..", "spec", "errors");
const folder = mkdtempSync(join(tmpdir(), "frond-pages-"));
const before = process.cwd();

beforeAll(() => {
  writeFiles();
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

describe.each(Object.entries(examples))("%s", (code, example) => {
  const path = join(pages, `${code}.md`);
  const page = readFileSync(path, "utf8");

  test("the bad example is reported as the page shows it", async () => {
    const frame = await carryOut(example, block(page, "Bad"));
    expect(frame).toContain(`[${code}]`);
    if (process.env.FROND_UPDATE === "1") {
      writeFileSync(
        path,
        page.replace(/(## Frame\n\n```text\n)[\s\S]*?(```)/, (_, head, tail) => head + frame + tail),
      );
    } else expect(frame).toBe(block(page, "Frame"));
  });

  test("the good example is not", async () => {
    const good = block(page, "Good");
    const frame =
      /^(model|save_file|numpy)/.test(good) || example.kind === "action" ? "" : await carryOut(example, good);
    expect(frame).not.toContain(`[${code}]`);
  });
});

async function carryOut(example: Example, text: string): Promise<string> {
  switch (example.kind) {
    case "command": {
      const [, made] = /^mkdir (\w+)$/m.exec(text) ?? [];
      if (made !== undefined) mkdirSync(join(folder, made), { recursive: true });
      const [, argv = ""] = /(?:^|\| )frond (.*)$/m.exec(text) ?? [];
      const { err } = await run(argv.split(" "), { stdin: "model Tagger {}" });
      // Progress is not part of the frame.
      return err.slice(Math.max(0, err.search(/^(error|warning)\[/m)));
    }
    case "data":
      return show(
        await diagnosticsOf(() => bindJson(text, example.inputs)),
        await warningsOf(text, example.inputs),
      );
    case "action":
      return show(await diagnosticsOf(async () => example.run()));
  }
}

const show = (...lists: readonly (readonly Diagnostic[])[]): string =>
  lists.every(list => list.length === 0) ? "" : `${render(lists.flat(), { color: false }).trimEnd()}\n`;

const bindJson = (text: string, own: readonly InputSpec[]) =>
  bind(readDataset(new TextEncoder().encode(text), "train.json"), own, [{ id: t, length: null }]);

async function warningsOf(text: string, own: readonly InputSpec[]): Promise<readonly Diagnostic[]> {
  const failed = (await diagnosticsOf(() => bindJson(text, own))).length > 0;
  return failed ? [] : bindJson(text, own).warnings;
}

function block(page: string, section: string): string {
  const [, text] = new RegExp(`\n## ${section}\n\n\`\`\`\\w+\n([\\s\\S]*?)\`\`\``).exec(page) ?? [];
  if (text === undefined) throw new Error(`no block in section ${section}`);
  return text;
}

/** The files that the pages' commands name; the stub compiler makes the same model of every source. */
function writeFiles(): void {
  const put = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);
  put("tagger.frond", "model Tagger {}\n");
  put("train.csv", "0.1,0.2\n");
  const sample = sampleDataset(inputs, tagger.infer().graph.axes, 1);
  const lengths: Tensor = { dtype: "index", shape: [sample.size], data: sample.lengths.get("x")! };
  for (const name of ["train.npz", "test.npz"])
    put(name, writeNpz(new Map([...sample.arrays, ["x.length", lengths]])));
  put("broken.json", JSON.stringify({ x: [[[null, 1]]], y: [[0]] }));
  const checkpoint = new Session({ model: tagger, backend: reference }).checkpoint();
  for (const name of ["converted", "tagger"]) put(`${name}.safetensors`, writeSafetensors(checkpoint));
  const tensors = new Map(checkpoint.tensors);
  tensors.set("state.W", tensors.get("h.W")!);
  tensors.delete("h.W");
  put("renamed.safetensors", writeSafetensors({ ...checkpoint, tensors }));
}

function loadWeights({
  name,
  shape,
  dtype,
}: Pick<Tensor, "shape" | "dtype"> & { readonly name: string }): void {
  const session = new Session({ model: tagger, backend: reference });
  const { tensors, metadata } = session.checkpoint();
  const other = zeros(dtype, shape);
  session.load({ metadata, tensors: new Map([...tensors, [name, other]]) }, "tagger.safetensors");
}

async function evaluateNothing(): Promise<void> {
  const model = { ...tagger, name: "Echo", evaluate: () => ({ ...tagger.infer(), results: [] }) };
  await new Session({ model, backend: reference }).evaluate(sampleDataset(inputs, [], 0));
}

function tooLarge(): unknown {
  try {
    return new Float64Array(2 ** 52);
  } catch (error) {
    return error;
  }
}

/** The tagger as if it produced one of two inputs. */
async function generateWithout(): Promise<void> {
  const model = {
    ...tagger,
    name: "Translate",
    generated: [{ input: "out", axis: t, from: 1, hasUntil: false }],
  };
  await new Session({ model, backend: reference }).generate(null, { steps: 20 });
}

function halfPrecision(): Uint8Array {
  const header = '{"h.W":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}';
  const file = new Uint8Array(8 + header.length + 2);
  file[0] = header.length;
  file.set(new TextEncoder().encode(header), 8);
  return file;
}

/** numpy.array(["a", "b"]) */
function strings(): Uint8Array {
  const header = "{'descr': '<U1', 'fortran_order': False, 'shape': (2,), }\n";
  return Uint8Array.of(
    0x93,
    ...new TextEncoder().encode("NUMPY"),
    1,
    0,
    header.length,
    0,
    ...new TextEncoder().encode(header),
    97,
    0,
    0,
    0,
    98,
    0,
    0,
    0,
  );
}

function bindTransposed(): void {
  const tensor: Tensor = { dtype: "real", shape: [4, 10, 7], data: new Float32Array(280) };
  bind(
    makeDataset("train.npz", new Map([["x", tensor]])),
    [input("x", { shape: [10] })],
    [{ id: t, length: null }],
  );
}
