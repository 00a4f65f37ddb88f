// Merges back what loop distribution tears apart: cheap vector ops move into the only loop that reads them, sums over
// a loop's axis into the loop that makes their terms, so that neither needs a whole sequence in memory. Products stay
// outside: over all steps at once they are one large product. A matrix-by-matrix weight gradient likewise. Where memory
// counts for more than time, products move too.

import type { Node } from "../graph/graph.ts";
import { childToward, directionOf, encloses, type Homes, isCarried } from "./loops.ts";
import { isLocal, summedAxes, workOf } from "./traits.ts";
import { eachTarget, operandsFirst } from "./wiring.ts";

/** What may move into loops: cheap work, or products and everything else that can be computed index by index. */
export type Sunk = "cheap" | "products";

/** Changes `homes` in place: no node's value changes, only where it is computed. */
export function sink(homes: Homes, sunk: Sunk): void {
  const order = operandsFirst(homes.wiring, (v, k) => isCarried(homes, v, k, homes.home[v]!));
  const inner = new Map<number, number[]>();
  for (const [loop, { parent }] of homes.loops.entries()) {
    const list = inner.get(parent);
    if (list === undefined) inner.set(parent, [loop]);
    else list.push(loop);
  }
  const levels = [-1];
  for (const level of levels) {
    const loops = inner.get(level) ?? [];
    if (loops.length === 0) continue;
    // Inside a loop, what is kept for one iteration only is no burden.
    sinkLevel(new Sinking(homes, level, level === -1 && sunk === "products"), order);
    levels.push(...loops);
  }
}

function sinkLevel(sinking: Sinking, order: readonly number[]): void {
  const { homes, level } = sinking;
  const mine = order.filter(v => homes.home[v] === level && homes.accumulates[v] === 0);
  for (const v of mine) sinking.accumulate(v);
  for (const v of mine.toReversed()) if (homes.home[v] === level) sinking.toReader(v);
}

/** Moves nodes from one body into the loops directly in it. */
class Sinking {
  readonly homes: Homes;
  readonly level: number;
  /** Whether what is not cheap moves too. */
  readonly #all: boolean;
  /** For a loop, 1 where a node needs the loop's results. */
  readonly #after = new Map<number, Uint8Array>();

  constructor(homes: Homes, level: number, all: boolean) {
    this.homes = homes;
    this.level = level;
    this.#all = all;
  }

  /** Moves a node into the loop that holds all its readers. */
  toReader(v: number): void {
    const { wiring } = this.homes;
    if (wiring.output[v] === 1) return;
    let loop = -1;
    const from = wiring.users.start[v]!;
    for (let slot = from; slot < wiring.users.start[v + 1]!; slot++) {
      const reader = this.#loopOf(wiring.users.targets[slot]!);
      if (reader === -1 || (loop !== -1 && reader !== loop)) return;
      loop = reader;
    }
    if (loop === -1 || !this.#fits(v, loop) || !this.#readableIn(v, loop)) return;
    if (this.#operandsIn(v, loop) === "early") this.homes.home[v] = loop;
  }

  /** Moves a sum over a loop's axis, with the nodes that only it reads, into the loop that makes its terms. */
  accumulate(v: number): void {
    const { homes } = this;
    const node = homes.wiring.nodes[v]!;
    const axes = summedAxes(node);
    if (axes.length === 0) return;
    if (!this.#all && node.op === "contract" && node.attrs.out.length > 1) return;
    for (const loop of this.#loopsBelow(v)) {
      if (!axes.includes(homes.loops[loop]!.axis)) continue;
      const chain = this.#chain(v, loop);
      if (chain === null) continue;
      for (const member of chain) homes.home[member] = loop;
      homes.accumulates[v] = 1;
      // The loop may now come after loops that it did not need before.
      this.#after.clear();
      return;
    }
  }

  /** The node and the operands that must move with it for it to be computed in the loop; null where that is impossible. */
  #chain(v: number, loop: number): readonly number[] | null {
    const { wiring } = this.homes;
    const chain = [v];
    for (const member of chain) {
      let possible = true;
      eachTarget(wiring.operands, member, (m, k) => {
        if (!possible) return;
        const isInside = chain.includes(m) || this.#loopOf(m) === loop;
        if (!isInside && !this.#needs(m, loop)) return;
        possible = this.#isThere(m, loop) && this.#inOrder(member, k, loop);
        if (isInside || !possible) return;
        possible = this.#fits(m, loop) && this.#onlyReader(m, chain);
        if (possible) chain.push(m);
      });
      if (!possible) return null;
    }
    return chain;
  }

  /** Whether the node's operands are computed before the loop's iteration needs them. */
  #operandsIn(v: number, loop: number): "early" | "late" {
    let early = true;
    eachTarget(this.homes.wiring.operands, v, (m, k) => {
      if (!early) return;
      if (this.#loopOf(m) === loop) early = this.#isThere(m, loop) && this.#inOrder(v, k, loop);
      else if (this.#needs(m, loop)) early = false;
    });
    return early ? "early" : "late";
  }

  /** May move, and has a value at each of the loop's iterations. */
  #fits(v: number, loop: number): boolean {
    const { wiring, loops, home } = this.homes;
    const node = wiring.nodes[v]!;
    return this.#moves(node) && home[v] === this.level && node.type.axes.includes(loops[loop]!.axis);
  }

  #moves(node: Node): boolean {
    const kind = workOf(node);
    if (kind === "pointwise" || kind === "view" || node.op === "random") return true;
    return this.#all && kind === "heavy" && isLocal(node);
  }

  /** A sum over the loop's own axis is complete only after the loop. */
  #isThere(m: number, loop: number): boolean {
    return !(this.homes.home[m] === loop && this.homes.accumulates[m] === 1);
  }

  /** Whether the shift v, once in the loop, reads iterations that have been. */
  #inOrder(v: number, k: number, loop: number): boolean {
    return this.#goesWith(this.homes.wiring.nodes[v]!, k, loop);
  }

  #goesWith(node: Node, k: number, loop: number): boolean {
    const { axis, direction } = this.homes.loops[loop]!;
    if (node.op !== "shift" || k !== 0 || node.attrs.axis !== axis) return true;
    return directionOf(node.attrs.offset) === direction;
  }

  /** Whether all shifts that read v go with the loop. */
  #readableIn(v: number, loop: number): boolean {
    const { wiring } = this.homes;
    let fine = true;
    eachTarget(wiring.users, v, user => {
      eachTarget(wiring.operands, user, (m, k) => {
        if (m === v && !this.#goesWith(wiring.nodes[user]!, k, loop)) fine = false;
      });
    });
    return fine;
  }

  #onlyReader(m: number, readers: readonly number[]): boolean {
    if (this.homes.wiring.output[m] === 1) return false;
    let only = true;
    eachTarget(this.homes.wiring.users, m, user => {
      if (!readers.includes(user)) only = false;
    });
    return only;
  }

  #loopOf(v: number): number {
    const { loops, home } = this.homes;
    return home[v] === this.level ? -1 : childToward(loops, this.level, home[v]!);
  }

  /** Loops that make operands of v, directly or through nodes of this body that may move; the last met first. */
  #loopsBelow(v: number): readonly number[] {
    const { wiring, home } = this.homes;
    const seen = new Set([v]);
    const found = new Set<number>();
    for (const at of seen) {
      eachTarget(wiring.operands, at, (m, k) => {
        if (isCarried(this.homes, at, k, this.level)) return;
        const loop = this.#loopOf(m);
        if (loop !== -1) found.add(loop);
        else if (home[m] === this.level && this.#isPassed(wiring.nodes[m]!)) seen.add(m);
      });
    }
    return [...found].sort((a, b) => (this.#loopNeeds(b, a) ? 1 : 0) - (this.#loopNeeds(a, b) ? 1 : 0));
  }

  #isPassed(node: Node): boolean {
    return workOf(node) !== "heavy" || (this.#all && isLocal(node));
  }

  /** Whether loop a needs results of loop b. */
  #loopNeeds(a: number, b: number): boolean {
    const marks = this.#marks(b);
    return this.homes.home.some(
      (home, v) => marks[v] === 1 && childToward(this.homes.loops, this.level, home) === a,
    );
  }

  /** Whether v needs the loop's results. */
  #needs(v: number, loop: number): boolean {
    return this.#marks(loop)[v] === 1;
  }

  /** Marks everything that has to wait for the loop; other loops as wholes. */
  #marks(loop: number): Uint8Array {
    const known = this.#after.get(loop);
    if (known !== undefined) return known;
    const { homes, level } = this;
    const { wiring, loops, home } = homes;
    const marks = new Uint8Array(wiring.nodes.length);
    const done = new Set([loop]);
    const pending: number[] = [];
    const enter = (entered: number): void => {
      done.add(entered);
      for (let v = 0; v < home.length; v++) if (this.#loopOf(v) === entered) mark(v);
    };
    const mark = (v: number): void => {
      if (marks[v] === 1) return;
      marks[v] = 1;
      pending.push(v);
    };
    for (let v = 0; v < home.length; v++) if (this.#loopOf(v) === loop) pending.push(v);
    for (let v = pending.pop(); v !== undefined; v = pending.pop()) {
      eachTarget(wiring.users, v, user => {
        if (marks[user] === 1 || !encloses(loops, level, home[user]!)) return;
        const isInside = this.#loopOf(user);
        if (isInside === loop || carriedInto(homes, user, v, level)) return;
        if (isInside === -1) mark(user);
        else if (!done.has(isInside)) enter(isInside);
      });
    }
    this.#after.set(loop, marks);
    return marks;
  }
}

/** Whether `user` reads `v` only from earlier iterations of the loops around this body. */
function carriedInto(homes: Homes, user: number, v: number, level: number): boolean {
  let carried = true;
  eachTarget(homes.wiring.operands, user, (m, k) => {
    if (m === v && !isCarried(homes, user, k, level)) carried = false;
  });
  return carried;
}
