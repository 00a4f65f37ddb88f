// Results that have left the device, for backends that copy them out at the end of a run.

import type { Results, Tensor } from "./api.ts";
import { resultsDisposed, unknownName } from "./misuse.ts";

/** A copy that no one else holds. */
export const copyOf = (tensor: Tensor): Tensor => ({ ...tensor, data: tensor.data.slice() });

export class CopiedResults implements Results {
  #tensors: ReadonlyMap<string, Tensor> | null;

  constructor(tensors: ReadonlyMap<string, Tensor>) {
    this.#tensors = tensors;
  }

  get names(): readonly string[] {
    return [...(this.#tensors?.keys() ?? [])];
  }

  async read(name: string): Promise<Tensor> {
    if (this.#tensors === null) throw resultsDisposed();
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw unknownName(name, "result", this.names);
    return copyOf(tensor);
  }

  dispose(): void {
    this.#tensors = null;
  }
}
