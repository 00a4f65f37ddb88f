// Backends by name, chosen at run time. A backend's folder, and with it whatever heavy it needs, is loaded when the
// backend is first asked for something; its name and what it is are known here.

import { FrondError } from "../compiler/diagnostics/error.ts";
import { nearest } from "../compiler/diagnostics/nearest.ts";
import { report } from "../compiler/diagnostics/report.ts";
import type { Availability, Backend } from "./api.ts";
import { unavailable } from "./misuse.ts";

export type {
  Availability,
  Backend,
  CompileOptions,
  Executable,
  Feeds,
  ProfileEntry,
  Results,
  State,
  Tensor,
} from "./api.ts";

/** Of the backends native and wasm, which are not loaded for it. */
export { wantThreads } from "./native/settings.ts";
export { fixTile, readTile, rememberTiles, type TuningStore } from "./wasm/settings.ts";

/** A backend that loads when it is used. */
function lazy(name: string, doc: string, load: () => Promise<Backend>): Backend {
  return {
    name,
    doc,
    probe: async () => (await load()).probe(),
    compile: async (program, options) => (await load()).compile(program, options),
  };
}

const isNode = typeof process === "object" && typeof process.versions?.node === "string";

/** All backends, the most widely useful first. */
export const backends: readonly Backend[] = [
  lazy(
    "wasm",
    "the compiler's own WebAssembly: one SIMD module for the whole program; float32, runs everywhere",
    async () => (await import("./wasm/index.ts")).wasm,
  ),
  lazy(
    "native",
    "TensorFlow's C library by way of tfjs-node, one graph for the whole program; float32, in Node",
    async () => (await import("./native/index.ts")).native,
  ),
  lazy(
    "cpu",
    "JavaScript by way of tfjs-core's cpu backend, with Frond's kernels; float32, runs everywhere",
    async () => (await import("./tfjs/cpu.ts")).cpu,
  ),
  lazy(
    "webgl",
    "WebGL 2 by way of tfjs's webgl backend, with generated shaders; float32, in browsers and, through one, in Node",
    async () =>
      isNode
        ? (await import("./browser/index.ts")).inBrowser("webgl")
        : (await import("./webgl/index.ts")).webgl,
  ),
  lazy(
    "webgpu",
    "WebGPU by way of tfjs's webgpu backend, with generated shaders; float32, in browsers and in Node",
    async () => {
      const { webgpu } = await import("./webgpu/index.ts");
      // Node has it where the package webgpu is and the machine has a graphics card; else through a browser.
      if (!isNode || (await webgpu.probe()).available) return webgpu;
      return (await import("./browser/index.ts")).inBrowser("webgpu", { webgpu: true });
    },
  ),
  lazy(
    "reference",
    "plain float64 interpreter of the recurrence graph: the oracle of the tests",
    async () => (await import("./reference/index.ts")).reference,
  ),
];

/** What `auto` tries, best first. */
const preferred: readonly string[] = ["wasm", "cpu"];

export interface ListedBackend {
  readonly name: string;
  readonly doc: string;
  readonly availability: Availability;
}

/** Every backend with whether it is available here. */
export async function listBackends(from: readonly Backend[] = backends): Promise<readonly ListedBackend[]> {
  return Promise.all(
    from.map(async backend => ({
      name: backend.name,
      doc: backend.doc,
      availability: await backend.probe(),
    })),
  );
}

/** The backend of that name, or with `auto` the best one there is. Throws a FrondError that says why not. */
export async function openBackend(name: string, from: readonly Backend[] = backends): Promise<Backend> {
  if (name === "auto") return bestOf(from);
  const backend = from.find(candidate => candidate.name === name);
  if (backend === undefined) throw unknown(name, from);
  const availability = await backend.probe();
  if (!availability.available) throw unavailable(name, availability);
  return backend;
}

async function bestOf(from: readonly Backend[]): Promise<Backend> {
  const candidates = preferred.flatMap(name => from.filter(backend => backend.name === name));
  let reason: FrondError | null = null;
  for (const backend of candidates) {
    const availability = await backend.probe();
    if (availability.available) return backend;
    reason ??= unavailable(backend.name, availability);
  }
  throw reason ?? unknown("auto", from);
}

function unknown(name: string, from: readonly Backend[]): FrondError {
  const names = [...from.map(backend => backend.name), "auto"];
  const near = nearest(name, names);
  const help = [...(near === null ? [] : [`did you mean \`${near}\`?`]), `there are ${names.join(", ")}`];
  return new FrondError([report("F0901", { name }, null, { help })]);
}
