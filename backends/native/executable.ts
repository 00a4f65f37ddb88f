// Runs a program: one session call with everything fed and everything fetched. The graph is made when it is first
// needed, one for batches whose examples are equally long and another for those whose are not.

import type { AxisId, NodeId } from "../../compiler/graph/graph.ts";
import { sizeOf } from "../../compiler/ops/shapes.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Executable, Feeds, Results, State, Tensor } from "../api.ts";
import { extentsOfAll, type NormalFeeds, normalizeFeeds } from "../feeds.ts";
import { executableDisposed, foreignState, otherBackend, withinMemory } from "../misuse.ts";
import { CopiedResults } from "../results.ts";
import { compileUnrolled } from "../unrolled.ts";
import { type Variable, variablesOf } from "../variables.ts";
import { drawn } from "./draws.ts";
import { feedNames } from "./fed.ts";
import { type LoweredProgram, lowerProgram } from "./program.ts";
import { BrokenLoop, Session } from "./session.ts";
import { NativeState, put } from "./state.ts";
import type { Binding, OpOutput, TensorId } from "./tfjs-node.ts";

interface Compiled {
  readonly lowered: Omit<LoweredProgram, "nodes">;
  readonly session: Session;
}

export class NativeExecutable implements Executable {
  readonly #binding: Binding;
  readonly #program: Program;
  readonly #variables: readonly Variable[];
  /** By whether examples differ in length. */
  readonly #compiled = new Map<boolean, Compiled>();
  /** Of these TensorFlow cannot run the loops. */
  readonly #broken = new Set<boolean>();
  #straight: Promise<Executable> | null = null;
  #disposed = false;

  constructor(binding: Binding, program: Program) {
    this.#binding = binding;
    this.#program = program;
    this.#variables = variablesOf(program);
  }

  createState(values: ReadonlyMap<string, Tensor>): State {
    if (this.#disposed) throw executableDisposed(this.#program);
    return new NativeState(this.#binding, this.#variables, values);
  }

  async run(feeds: Feeds, state: State): Promise<Results> {
    if (this.#disposed) throw executableDisposed(this.#program);
    if (!(state instanceof NativeState)) throw foreignState(this.#program, otherBackend);
    const variables = state.tensorsFor(this.#program, this.#variables);
    const fed = normalizeFeeds(this.#program, feeds);
    const ragged = isRagged(fed);
    if (!this.#broken.has(ragged)) {
      try {
        const compiled = this.#compiledFor(ragged);
        return withinMemory(this.#program, fed.batch, () => this.#run(compiled, fed, state, variables));
      } catch (error) {
        const hasLoops = this.#program.schedule.steps.some(({ kind }) => kind === "loop");
        if (!(error instanceof BrokenLoop && hasLoops)) throw error;
      }
      this.#broken.add(ragged);
      this.#compiled.get(ragged)?.session.end();
      this.#compiled.delete(ragged);
    }
    const compile = (program: Program) => new NativeExecutable(this.#binding, program);
    this.#straight ??= compileUnrolled(this.#program, { unroll: "full" }, compile);
    return (await this.#straight).run(feeds, state);
  }

  #run(
    { session, lowered }: Compiled,
    fed: NormalFeeds,
    state: NativeState,
    variables: readonly TensorId[],
  ): Results {
    this.#checkRoom(fed);
    const own = new Map<string, TensorId>();
    try {
      this.#feed(fed, lowered, own);
      const kept = variables.flatMap((id, i): [string, TensorId][] => {
        const name = feedNames.variable(i);
        return lowered.feeds.has(name) ? [[name, id]] : [];
      });
      const fetches = [...lowered.results, ...lowered.updates];
      const outputs = session.run(new Map([...own, ...kept]), fetches);
      return this.#take(outputs, state);
    } finally {
      for (const id of own.values()) this.#binding.deleteTensor(id);
    }
  }

  #compiledFor(ragged: boolean): Compiled {
    const known = this.#compiled.get(ragged);
    if (known !== undefined) return known;
    const names = this.#variables.map(({ name }) => name);
    const { nodes, ...lowered } = lowerProgram(this.#program, names, ragged);
    const session = new Session(this.#binding, nodes, id => describe(this.#program, id));
    const compiled = { lowered, session };
    this.#compiled.set(ragged, compiled);
    return compiled;
  }

  /** Arrays of results that JavaScript cannot make end the process, where a library asks for them. */
  #checkRoom({ batch, extents }: NormalFeeds): void {
    const { nodes, outputs } = this.#program.schedule.graph;
    for (const name of this.#program.results) {
      const { axes, batched, shape } = nodes.get(outputs.get(name)!)!.type;
      const size = sizeOf([batched ? batch : 1, ...axes.map(axis => extents.get(axis)!), ...shape]);
      if (size > mostValues) throw new RangeError(`an array of ${size} values is too large`);
    }
  }

  #feed(fed: NormalFeeds, { feeds, draws }: Compiled["lowered"], into: Map<string, TensorId>): void {
    const { axes } = this.#program.schedule.graph;
    const give = (name: string, tensor: () => Tensor): void => {
      if (feeds.has(name)) into.set(name, put(this.#binding, tensor()));
    };
    into.set(feedNames.batch, put(this.#binding, count(fed.batch)));
    for (const [i, { id, length }] of axes.entries()) {
      if (length !== null) continue;
      into.set(feedNames.extent(i), put(this.#binding, count(fed.extents.get(id)!)));
      const data = fed.lengths.get(id)!;
      give(feedNames.length(i), () => ({ dtype: "index", shape: [fed.batch], data }));
    }
    for (const [i, { name }] of this.#program.inputs.entries())
      give(feedNames.input(i), () => fed.inputs.get(name)!);
    for (const [i, node] of draws.entries()) give(feedNames.draws(i), () => drawn(node, fed));
  }

  /** Results are copied, so that they ask for no disposal; what is updated stays where it is. */
  #take(outputs: readonly OpOutput[], state: NativeState): Results {
    const { results, updates } = this.#program;
    const { nodes, outputs: named } = this.#program.schedule.graph;
    const [own, kept] = [outputs.slice(0, results.length), outputs.slice(results.length)];
    let read: ReadonlyMap<string, Tensor>;
    try {
      read = new Map(
        own.map(({ id, shape }, i) => {
          const { dtype } = nodes.get(named.get(results[i]!)!)!.type;
          return [results[i]!, { dtype, shape, data: this.#binding.tensorDataSync(id) }] as const;
        }),
      );
    } catch (error) {
      for (const { id } of kept) this.#binding.deleteTensor(id);
      throw error;
    } finally {
      for (const { id } of own) this.#binding.deleteTensor(id);
    }
    state.update(new Map(updates.map(({ target }, i) => [target, kept[i]!.id] as const)));
    return new CopiedResults(read);
  }

  /** TensorFlow says what it takes only when it has. */
  memory(batch: number, open: ReadonlyMap<AxisId, number>): null {
    if (this.#disposed) throw executableDisposed(this.#program);
    extentsOfAll(this.#program, batch, open);
    return null;
  }

  dispose(): void {
    this.#disposed = true;
    for (const { session } of this.#compiled.values()) session.end();
    this.#compiled.clear();
    void this.#straight?.then(straight => straight.dispose());
  }
}

/** Of an array, where engines allow no more. */
const mostValues = 2 ** 31 - 1;

const count = (value: number): Tensor => ({ dtype: "index", shape: [], data: Int32Array.of(value) });

/** Whether examples differ in length. */
const isRagged = ({ lengths, extents }: NormalFeeds): boolean =>
  [...lengths].some(([axis, own]) => own.some(length => length < extents.get(axis)!));

function describe({ schedule }: Program, id: number): string | null {
  const node = schedule.graph.nodes.get(id as NodeId);
  return node === undefined ? null : `%${id} = ${node.op}${node.label === "" ? "" : ` (${node.label})`}`;
}
