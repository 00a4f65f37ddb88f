// All engines by name: which cases each can run, and where. Engines load when they are started. Those that are compared on
// the same library (tfjs's cpu, TensorFlow's, a browser's WebGL or WebGPU) share one process or one page, all others have
// a process of their own.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserOptions } from "../../../backends/browser/chromium.ts";
import { type Case, caseName, type Task } from "../cases.ts";
import type { Engine, Host } from "../engine.ts";
import { PageLine } from "../page-line.ts";
import { ProcessLine } from "../process-line.ts";
import { Family, type Line } from "../remote.ts";
import { benchFolder } from "../work.ts";
import { frondBackends } from "./frond.ts";

interface Kind {
  readonly name: string;
  readonly tasks: readonly Task[];
  /** Null for all. */
  readonly layers: readonly string[] | null;
  /** One; as many as `--threads` says, or as are usual; or as many as it says and else one. */
  readonly threads: "one" | "several" | "asked";
  /** Kinds with the same share the place where they run. */
  readonly family: string;
  readonly place: Place;
}

type Place =
  /** In a process of Node's that loads it. */
  | { readonly kind: "node"; readonly load: (threads: number) => Promise<Engine> }
  /** In a page, whose page.ts knows it by name. */
  | { readonly kind: "page"; readonly browser: BrowserOptions }
  /** In Python. */
  | { readonly kind: "script"; readonly path: string };

const everything = { tasks: ["train", "infer"], layers: null } as const;

/** Backends of Frond that have threads. Operations of a recurrent step are too small for several of TensorFlow's. */
const threadsOf: Readonly<Record<string, Kind["threads"]>> = { wasm: "several", native: "asked" };

/** The browsers are those that backends/registry.ts opens. */
const pages: Readonly<Record<string, Place>> = {
  webgl: { kind: "page", browser: {} },
  webgpu: { kind: "page", browser: { webgpu: true } },
};

const node = (load: (threads: number) => Promise<Engine>): Place => ({ kind: "node", load });

const own: readonly Kind[] = frondBackends.map(name => ({
  ...everything,
  name: `frond-${name}`,
  threads: threadsOf[name] ?? "one",
  family: name,
  place: pages[name] ?? node(async threads => (await import("./frond.ts")).frondEngine(name, { threads })),
}));

/** @param family Frond's backend on the same, where there is one. */
function tfjs(name: string, family: string, place: Place): Kind {
  // Its gru resets before the product, and it has none of the others.
  const layers = ["lstm", "bidirectional"];
  return { ...everything, name: `tfjs-${name}`, layers, threads: threadsOf[family] ?? "one", family, place };
}

const tfjsHere = (name: "wasm" | "cpu" | "node"): Place =>
  node(async () => (await import("./tfjs-here.ts")).tfjsHere(name));

const onnx = (kind: "node" | "web"): Kind => ({
  name: `ort-${kind}`,
  tasks: ["infer"],
  layers: ["lstm", "gru", "bidirectional"],
  threads: kind === "node" ? "several" : "one",
  family: `ort-${kind}`,
  place: node(async threads => (await import("./onnx.ts")).onnxEngine(kind, threads)),
});

const python = (name: string): Kind => ({
  ...everything,
  name,
  threads: "several",
  family: name,
  place: { kind: "script", path: join(benchFolder, "python", `${name}_engine.py`) },
});

/** Which Python to use; a virtual environment's, for example. */
const interpreter = process.env.FROND_BENCH_PYTHON ?? "python3";

const kinds: readonly Kind[] = [
  ...own,
  tfjs("wasm", "tfjs-wasm", tfjsHere("wasm")),
  tfjs("cpu", "cpu", tfjsHere("cpu")),
  tfjs("node", "native", tfjsHere("node")),
  tfjs("webgl", "webgl", pages.webgl!),
  tfjs("webgpu", "webgpu", pages.webgpu!),
  python("pytorch"),
  python("jax"),
  onnx("web"),
  onnx("node"),
];

export const engineNames: readonly string[] = kinds.map(({ name }) => name);

/** An engine with a number of threads. */
export interface Entrant {
  readonly name: string;
  readonly threads: number;
  /** Whether it is Frond, with which all others are compared. */
  readonly own: boolean;
  /** Whether it is among the packages of test/bench/peers. */
  readonly packaged: boolean;
  readonly start: () => Host;
  readonly supports: (one: Case) => boolean;
}

const usualThreads: readonly number[] = [1, 2];

/**
 * All that may take part; those that have one number of threads stand there once.
 *
 * @param asked null where nothing was said.
 */
export function entrants(asked: readonly number[] | null): readonly Entrant[] {
  const counts = { one: [1], several: asked ?? usualThreads, asked: asked ?? [1] } as const;
  const started = new Map<string, Family>();
  const familyOf = (kind: Kind, threads: number): Family => {
    const key = `${kind.family} ${threads}`;
    const family = started.get(key) ?? new Family(lineTo(kind, threads));
    started.set(key, family);
    return family;
  };
  return kinds.flatMap(kind =>
    counts[kind.threads].map(threads => ({
      name: kind.name,
      threads,
      own: own.includes(kind),
      packaged: isPackaged(kind),
      start: () => familyOf(kind, threads).join(kind.name),
      supports: ({ task, layer }: Case) =>
        kind.tasks.includes(task) && (kind.layers === null || kind.layers.includes(layer)),
    })),
  );
}

/** TensorFlow's library is set up by `frond setup native`. */
const isPackaged = (kind: Kind): boolean =>
  !own.includes(kind) && kind.place.kind !== "script" && kind.family !== "native";

/** What `--only` is matched with: `train/lstm/32x50x10x128/frond-cpu`. */
export const rowName = (one: Case, { name }: Entrant): string => `${caseName(one)}/${name}`;

function lineTo({ place }: Kind, threads: number): Line {
  switch (place.kind) {
    case "page":
      return new PageLine(place.browser, fileURLToPath(new URL("../../..", import.meta.url)));
    case "node":
      return new ProcessLine([process.execPath, server, String(threads)], environmentFor(threads));
    case "script":
      return new ProcessLine([interpreter, place.path, String(threads)], environmentFor(threads));
  }
}

const server = fileURLToPath(new URL("../serve.js", import.meta.url));

/** TensorFlow takes its threads when it is loaded. Scripts in Python leave nothing beside themselves. */
const environmentFor = (threads: number): NodeJS.ProcessEnv => ({
  TF_NUM_INTRAOP_THREADS: `${threads}`,
  TF_NUM_INTEROP_THREADS: `${threads}`,
  PYTHONDONTWRITEBYTECODE: "1",
});

/** The engine of that name, in this process. */
export async function loadEngine(name: string, threads: number): Promise<Engine> {
  const kind = kinds.find(candidate => candidate.name === name);
  if (kind?.place.kind !== "node") throw new Error(`no engine \`${name}\` for a process of Node's`);
  return kind.place.load(threads);
}
