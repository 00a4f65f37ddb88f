// A minimum cut by maximum flow (Dinitz 1970), for the few thousand vertices of a training graph.

/** An infinite capacity: such an arc is never cut. */
export const unbounded = Number.POSITIVE_INFINITY;

export class FlowNetwork {
  readonly #targets: number[] = [];
  readonly #left: number[] = [];
  readonly #out: number[][] = [];

  vertex(): number {
    return this.#out.push([]) - 1;
  }

  /** Arc 2i has its reverse at 2i + 1. */
  arc(from: number, to: number, capacity: number): void {
    this.#out[from]!.push(this.#targets.push(to) - 1);
    this.#left.push(capacity);
    this.#out[to]!.push(this.#targets.push(from) - 1);
    this.#left.push(0);
  }

  /**
   * The vertices on the source's side of the minimum cut that lies nearest to the sink. Some path from source to sink
   * must have no unbounded capacity throughout.
   */
  minimumCut(source: number, sink: number): ReadonlySet<number> {
    for (;;) {
      const level = this.#levels(source);
      if (level[sink] === -1) break;
      const cursor = new Int32Array(this.#out.length);
      while (this.#augment(source, sink, level, cursor)) {}
    }
    return this.#beforeCut(sink);
  }

  #levels(source: number): Int32Array {
    const level = new Int32Array(this.#out.length).fill(-1);
    level[source] = 0;
    const queue = [source];
    for (const v of queue) {
      for (const arc of this.#out[v]!) {
        const w = this.#targets[arc]!;
        if (this.#left[arc]! <= 0 || level[w] !== -1) continue;
        level[w] = level[v]! + 1;
        queue.push(w);
      }
    }
    return level;
  }

  /** Pushes flow along one shortest path; false when there is none left. Walks without recursion. */
  #augment(source: number, sink: number, level: Int32Array, cursor: Int32Array): boolean {
    const path: number[] = [];
    for (let v = source; v !== sink; ) {
      const arc = this.#out[v]![cursor[v]!];
      if (arc === undefined) {
        const back = path.pop();
        if (back === undefined) return false;
        v = this.#targets[back ^ 1]!;
        cursor[v]!++;
      } else if (this.#left[arc]! > 0 && level[this.#targets[arc]!] === level[v]! + 1) {
        path.push(arc);
        v = this.#targets[arc]!;
      } else cursor[v]!++;
    }
    let flow = unbounded;
    for (const arc of path) flow = Math.min(flow, this.#left[arc]!);
    for (const arc of path) {
      this.#left[arc]! -= flow;
      this.#left[arc ^ 1]! += flow;
    }
    return path.length > 0;
  }

  /** All vertices but those from which flow could still reach the sink. */
  #beforeCut(sink: number): ReadonlySet<number> {
    const reaching = new Set([sink]);
    for (const v of reaching) {
      for (const arc of this.#out[v]!) if (this.#left[arc ^ 1]! > 0) reaching.add(this.#targets[arc]!);
    }
    const before = new Set<number>();
    for (let v = 0; v < this.#out.length; v++) if (!reaching.has(v)) before.add(v);
    return before;
  }
}
