// What a run has computed; it stays on the device until it is read.

import type { AxisId, NodeType } from "../../compiler/graph/graph.ts";
import type { Results, Tensor } from "../api.ts";
import { resultsDisposed, unknownName } from "../misuse.ts";
import type { Reference } from "./cells.ts";
import type { Held } from "./held.ts";
import { filledTensor, fromMatrix, type Sizes } from "./transfer.ts";

type Stored = Extract<Reference, { kind: "stored" }>;

/** A result and what reading it takes. */
export interface Result {
  readonly type: NodeType;
  readonly value: number | { readonly reference: Stored; readonly held: Held; readonly column: number };
}

export class GpuResults implements Results {
  readonly #results: ReadonlyMap<string, Result>;
  readonly #sizes: Sizes;
  readonly #lengths: ReadonlyMap<AxisId, Int32Array>;
  #disposed = false;

  constructor(results: ReadonlyMap<string, Result>, sizes: Sizes, lengths: ReadonlyMap<AxisId, Int32Array>) {
    this.#results = results;
    this.#sizes = sizes;
    this.#lengths = lengths;
  }

  get names(): readonly string[] {
    return [...this.#results.keys()];
  }

  async read(name: string): Promise<Tensor> {
    if (this.#disposed) throw resultsDisposed();
    const result = this.#results.get(name);
    if (result === undefined) throw unknownName(name, "result", this.names);
    const { type, value } = result;
    if (typeof value === "number") return filledTensor(type, value, this.#sizes, this.#lengths);
    const { reference, held, column } = value;
    const numbers = await held.read();
    return fromMatrix(
      type,
      { ...reference, rows: reference.cell.rows, column },
      numbers,
      held.matrix.texels,
      this.#sizes,
      this.#lengths,
    );
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { value } of this.#results.values()) if (typeof value !== "number") value.held.release();
  }
}
