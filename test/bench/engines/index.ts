// All engines by name: which cases each can run, and how it is started. Engines load when they are started, each in a
// process of its own.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Case, caseName, type Task } from "../cases.ts";
import type { Engine, Host } from "../engine.ts";
import { RemoteHost } from "../remote.ts";
import { benchFolder } from "../work.ts";
import { frondBackends } from "./frond.ts";

interface Kind {
  readonly name: string;
  readonly tasks: readonly Task[];
  /** Null for all. */
  readonly layers: readonly string[] | null;
  /** Whether it can be told how many threads to take; the others have one. */
  readonly threaded: boolean;
  /** Its engine, or the script that serves it. */
  readonly made: ((threads: number) => Promise<Engine>) | { readonly script: string };
}

const everything = { tasks: ["train", "infer"], layers: null } as const;

/** Backends of Frond that can share the work among threads. */
const threadedBackends = ["wasm"];

const own: readonly Kind[] = frondBackends.map(name => ({
  ...everything,
  name: `frond-${name}`,
  threaded: threadedBackends.includes(name),
  made: async threads => (await import("./frond.ts")).frondEngine(name, { threads }),
}));

const tfjs = (backend: "wasm" | "cpu"): Kind => ({
  name: `tfjs-${backend}`,
  tasks: ["train", "infer"],
  // Its gru resets before the product, and it has none of the others.
  layers: ["lstm", "bidirectional"],
  threaded: false,
  made: async () => (await import("./tfjs.ts")).tfjsEngine(backend),
});

const onnx = (kind: "node" | "web"): Kind => ({
  name: `ort-${kind}`,
  tasks: ["infer"],
  layers: ["lstm", "gru", "bidirectional"],
  threaded: kind === "node",
  made: async threads => (await import("./onnx.ts")).onnxEngine(kind, threads),
});

const python = (name: string): Kind => ({
  ...everything,
  name,
  threaded: true,
  made: { script: join(benchFolder, "python", `${name}_engine.py`) },
});

/** Which Python to use; a virtual environment's, for example. */
const interpreter = process.env.FROND_BENCH_PYTHON ?? "python3";

const kinds: readonly Kind[] = [
  ...own,
  tfjs("wasm"),
  tfjs("cpu"),
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

/** All that may take part; those that know no threads stand there once. */
export function entrants(threads: readonly number[]): readonly Entrant[] {
  return kinds.flatMap(kind =>
    (kind.threaded ? threads : [1]).map(count => ({
      name: kind.name,
      threads: count,
      own: own.includes(kind),
      packaged: !own.includes(kind) && typeof kind.made === "function",
      start: () => new RemoteHost(commandOf(kind, count), environment),
      supports: ({ task, layer }: Case) =>
        kind.tasks.includes(task) && (kind.layers === null || kind.layers.includes(layer)),
    })),
  );
}

/** What `--only` is matched with: `train/lstm/32x50x10x128/frond-cpu`. */
export const rowName = (one: Case, { name }: Entrant): string => `${caseName(one)}/${name}`;

/** Scripts in Python leave nothing beside themselves. */
const environment = { PYTHONDONTWRITEBYTECODE: "1" };

function commandOf({ name, made }: Kind, threads: number): readonly string[] {
  if ("script" in made) return [interpreter, made.script, String(threads)];
  return [process.execPath, fileURLToPath(new URL("../serve.js", import.meta.url)), name, String(threads)];
}

/** The engine of that name, in this process. */
export async function loadEngine(name: string, threads: number): Promise<Engine> {
  const kind = kinds.find(candidate => candidate.name === name);
  if (kind === undefined || "script" in kind.made) throw new Error(`no engine \`${name}\` in JavaScript`);
  return kind.made(threads);
}
