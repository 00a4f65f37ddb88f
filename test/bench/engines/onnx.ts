// ONNX Runtime: its WebAssembly build and its native one for Node. Inference only. Only what of its interface is used
// is declared here.

import { join } from "node:path";
import { type Engine, type Opened, picked } from "../engine.ts";
import type { Work } from "../work.ts";
import { onnxModel } from "./onnx-model.ts";
import { load, packageFolder, probePackage } from "./peer.ts";

interface OrtTensor {
  readonly data: Float32Array;
}

interface Ort {
  readonly Tensor: new (type: "float32", data: Float32Array, shape: readonly number[]) => OrtTensor;
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<OrtSession>;
  };
  readonly env: { readonly wasm: { numThreads?: number; wasmPaths?: string } };
}

interface OrtSession {
  readonly outputNames: readonly string[];
  run(feeds: { readonly x: OrtTensor }): Promise<Readonly<Record<string, OrtTensor>>>;
  release(): Promise<void>;
}

export const onnxEngine = (kind: "node" | "web", threads: number): Engine => ({
  probe: async () => probePackage(`onnxruntime-${kind}`),
  open: work => open(kind, threads, work),
});

async function open(kind: "node" | "web", threads: number, work: Work): Promise<Opened> {
  const ort = load<Ort>(`onnxruntime-${kind}`);
  if (kind === "web") {
    ort.env.wasm.numThreads = threads;
    ort.env.wasm.wasmPaths = join(packageFolder("onnxruntime-web"), "dist", "/");
  }
  const session = await ort.InferenceSession.create(onnxModel(work), {
    executionProviders: [kind === "web" ? "wasm" : "cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
  });
  const { batch, steps, inputs, model } = work.case;
  const { data } = work.tensors.get("x")!;
  const x = new ort.Tensor("float32", exchanged(data as Float32Array, batch, steps), [steps, batch, inputs]);
  const [output = ""] = session.outputNames;
  const run = async (): Promise<Float32Array> => (await session.run({ x }))[output]!.data;
  const first = await run();
  const check = picked(model === "Tagger" ? exchanged(first, steps, batch) : first);
  return { check, run, close: () => void session.release() };
}

/** `[a, b, features]` to `[b, a, features]` */
function exchanged(data: Float32Array, a: number, b: number): Float32Array {
  const features = data.length / (a * b);
  const result = new Float32Array(data.length);
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      const from = (i * b + j) * features;
      result.set(data.subarray(from, from + features), (j * a + i) * features);
    }
  }
  return result;
}
