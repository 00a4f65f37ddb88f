// Runs a program on two backends and says where they part. First as it is; then with all its values as results, which
// shows the first one that differs. What is a result is stored, though, so loops and fused groups may be others: where
// that makes a difference disappear, smaller and smaller parts of the values are made results.

import type { Backend, CompileOptions, Executable, Feeds, Tensor } from "../backends/api.ts";
import type { NodeId, OpName } from "../compiler/graph/graph.ts";
import type { Program } from "../compiler/program/program.ts";
import { withAllResults, withResults } from "../compiler/program/results.ts";
import { liveNodes } from "../compiler/schedule/wiring.ts";
import { type Apart, apart, type Pair, scaleOf } from "./errors.ts";
import { scalesOf } from "./noise.ts";
import { firstParting, furthest, type Parting } from "./parting.ts";
import { withStates } from "./states.ts";

export interface DiffOptions {
  readonly backends: readonly [Backend, Backend];
  readonly program: Program;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly feeds: Feeds;
  /** The largest relative error of values that agree. */
  readonly tolerance: number;
  readonly compile?: CompileOptions;
  /** Called before each run. */
  readonly onProgress?: (what: string) => void;
}

/** A result, or what a step makes of a parameter or state. */
export interface DiffRow extends Apart {
  readonly name: string;
  readonly kind: "result" | "updated";
  readonly shape: readonly number[];
}

export interface Diff {
  /** Of the program as it is. */
  readonly rows: readonly DiffRow[];
  /** Null where all values agree, or the difference is there only as long as nobody looks. */
  readonly parting: Parting | null;
  /** Whether what it parts at is computed for gradients or updates only. */
  readonly isBackward: boolean;
  /** With how many of the values as results besides its own. */
  readonly seen: "all" | "some";
  /** Values that were compared when all were results. */
  readonly compared: number;
  readonly furthest: ReturnType<typeof furthest>;
}

export const isOff = ({ error }: Apart, tolerance: number): boolean => !(error <= tolerance);

/** Whether the two backends agree in all that was seen. */
export const agrees = ({ rows, parting }: Diff, tolerance: number): boolean =>
  parting === null && !rows.some(row => isOff(row, tolerance));

export async function diff(options: DiffOptions): Promise<Diff> {
  const { program, tolerance, onProgress = () => {} } = options;
  onProgress("the program as it is");
  const plain = await both(program, options);
  onProgress("all values");
  // Without updates: they may be made in place, where parameters are results too.
  const all = withAllResults({ ...program, updates: [] });
  const pairs = byNode(all.names, await both(all.program, options));
  const { graph } = all.program;
  const scales = scalesOf(all.program.schedule, pairs, tolerance);
  const rows = rowsOf(program, plain, scales);
  const seen = firstParting(all.program.schedule, pairs, scales, tolerance);
  const isHidden = seen === null && rows.some(row => isOff(row, tolerance));
  const parting = isHidden ? await searched(options, scales) : seen;
  return {
    rows,
    parting,
    isBackward: parting !== null && !forward(program).has(parting.node.id),
    seen: isHidden ? "some" : "all",
    compared: pairs.size,
    furthest: furthest(graph, pairs, scales),
  };
}

/** What results are computed from that are no gradients. */
function forward({ graph, results }: Program): ReadonlySet<NodeId> {
  const names = results.filter(name => !name.startsWith("gradient."));
  return liveNodes({ ...graph, outputs: new Map(names.map(name => [name, graph.outputs.get(name)!])) });
}

/** More than this is not worth the wait. */
const mostPrograms = 64;

/** Looks at halves of the values, then at quarters, and so on, until a part shows a difference; null if none does. */
async function searched(options: DiffOptions, scales: ReadonlyMap<NodeId, number>): Promise<Parting | null> {
  const { program, tolerance, onProgress = () => {} } = options;
  const values = [...scales.keys()].filter(id => !isGiven(program, id));
  let programs = 0;
  for (let size = Math.ceil(values.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < values.length; from += size) {
      if (programs++ === mostPrograms) return null;
      onProgress(`parts of ${size} values`);
      const some = withResults(program, values.slice(from, from + size));
      const pairs = byNode(some.names, await both(some.program, options));
      const parting = firstParting(some.program.schedule, pairs, scales, tolerance);
      if (parting !== null) return parting;
    }
  }
  return null;
}

const views: ReadonlySet<OpName> = new Set<OpName>(["reshape", "transpose", "slice", "broadcast"]);

/** What a run is given, or a view of it: updates may be made in its place. */
function isGiven({ graph }: Program, id: NodeId): boolean {
  let node = graph.nodes.get(id)!;
  while (views.has(node.op)) node = graph.nodes.get(node.inputs[0]!)!;
  return node.op === "parameter" || node.op === "state" || node.op === "input" || node.op === "constant";
}

/** What a run computed, by name: results, and for a step that updates, parameters and states afterwards. */
interface Run {
  readonly results: ReadonlyMap<string, Tensor>;
  readonly updated: ReadonlyMap<string, Tensor>;
}

type Runs = readonly [Run, Run];

async function both(program: Program, { backends, ...options }: DiffOptions): Promise<Runs> {
  const [a, b] = backends;
  return [await runOn(a, program, options), await runOn(b, program, options)];
}

async function runOn(
  backend: Backend,
  program: Program,
  { weights, feeds, compile = {} }: Omit<DiffOptions, "backends">,
): Promise<Run> {
  const executable = await backend.compile(program, compile);
  try {
    return await runWith(executable, program, withStates(weights, program), feeds);
  } finally {
    executable.dispose();
  }
}

async function runWith(
  executable: Executable,
  program: Program,
  values: ReadonlyMap<string, Tensor>,
  feeds: Feeds,
): Promise<Run> {
  const state = executable.createState(values);
  try {
    const computed = await executable.run(feeds, state);
    const results = new Map<string, Tensor>();
    for (const name of program.results) results.set(name, await computed.read(name));
    computed.dispose();
    const updated = new Map<string, Tensor>();
    for (const { target } of program.updates) updated.set(target, await state.read(target));
    return { results, updated };
  } finally {
    state.dispose();
  }
}

function rowsOf(
  { graph, results, updates }: Program,
  [a, b]: Runs,
  scales: ReadonlyMap<NodeId, number>,
): readonly DiffRow[] {
  const row = (kind: DiffRow["kind"], name: string, output: string, pair: Pair): DiffRow => {
    const scale = scales.get(graph.outputs.get(output)!) ?? scaleOf(pair);
    return { kind, name, shape: pair[0].shape, ...apart(pair, scale) };
  };
  return [
    ...results.map(name => row("result", name, name, [a.results.get(name)!, b.results.get(name)!])),
    ...updates.map(({ target, output }) =>
      row("updated", target, output, [a.updated.get(target)!, b.updated.get(target)!]),
    ),
  ];
}

const byNode = (names: ReadonlyMap<NodeId, string>, [a, b]: Runs): ReadonlyMap<NodeId, Pair> =>
  new Map([...names].map(([id, name]) => [id, [a.results.get(name)!, b.results.get(name)!]] as const));
