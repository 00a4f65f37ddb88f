// A graph that TensorFlow runs. The binding takes graphs from files only, so it gets one, which is deleted as soon as it
// has been read. (TensorFlow's file system in memory, `ram:`, has no op that deletes.)

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InternalError } from "../../compiler/unreachable.ts";
import { type NodeDef, savedModel, tag } from "./graph-def.ts";
import type { Binding, OpOutput, TensorId } from "./tfjs-node.ts";

/** Says what of the program a node of the graph belongs to; null where it belongs to none. */
export type Describe = (id: number) => string | null;

/** TensorFlow's optimiser has left a loop with values that nothing computes: as straight code it may be right. */
export class BrokenLoop extends InternalError {}

export class Session {
  readonly #binding: Binding;
  readonly #describe: Describe;
  #id: number | null;

  constructor(binding: Binding, nodes: readonly NodeDef[], describe: Describe) {
    this.#binding = binding;
    this.#describe = describe;
    const folder = mkdtempSync(join(tmpdir(), "frond-graph-"));
    try {
      writeFileSync(join(folder, "saved_model.pb"), savedModel(nodes));
      this.#id = binding.loadSavedModel(folder, tag);
    } catch (error) {
      throw this.#explained(error);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** The caller deletes what comes back. Of a run that fails the binding leaves references to what it was fed. */
  run(feeds: ReadonlyMap<string, TensorId>, fetches: readonly string[]): readonly OpOutput[] {
    if (this.#id === null) throw new InternalError("Session", "it has ended");
    if (fetches.length === 0) return [];
    try {
      return this.#binding.runSavedModel(
        this.#id,
        [...feeds.values()],
        [...feeds.keys()].map(portOf).join(),
        fetches.map(portOf).join(),
      );
    } catch (error) {
      throw this.#explained(error);
    }
  }

  end(): void {
    if (this.#id !== null) this.#binding.deleteSavedModel(this.#id);
    this.#id = null;
  }

  /** Nodes' names begin with the number of what they were made for (graph.ts). */
  #explained(error: unknown): Error {
    const message = error instanceof Error ? error.message : String(error);
    const [first = ""] = message.split("\n").filter(line => line !== "");
    // Frond's words for it are those that typed arrays cause (misuse.ts).
    if (/OOM when allocating|out of memory|RESOURCE_EXHAUSTED/i.test(message))
      return new RangeError(`memory: ${first}`);
    if (message.includes("does not have value")) return new BrokenLoop("native", first);
    const [, id] = /\{\{node n(\d+)\//.exec(message) ?? [];
    const what = id === undefined ? null : this.#describe(Number(id));
    return new InternalError("native", what === null ? first : `${what}: ${first}`);
  }
}

const portOf = (name: string): string => (name.includes(":") ? name : `${name}:0`);
