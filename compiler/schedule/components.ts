// Strongly connected components of a directed graph in compressed rows, in topological order (Tarjan 1972,
// "Depth-first search and linear graph algorithms"), without recursion: graphs of 100,000 vertices are usual.

/** The targets of vertex v are targets[start[v]] to targets[start[v + 1] - 1]. */
export interface Arcs {
  readonly size: number;
  readonly start: Int32Array;
  readonly targets: Int32Array;
}

/** Compresses lists of targets, one list a vertex. */
export function arcsOf(lists: readonly (readonly number[])[]): Arcs {
  const start = new Int32Array(lists.length + 1);
  let count = 0;
  for (const [v, list] of lists.entries()) {
    count += list.length;
    start[v + 1] = count;
  }
  const targets = new Int32Array(count);
  let at = 0;
  for (const list of lists) for (const target of list) targets[at++] = target;
  return { size: lists.length, start, targets };
}

/**
 * The components, each in the order in which the search met its vertices. A component stands after all components
 * that its arcs lead to: with arcs from a node to its operands, operands come first. Searches start at the vertices
 * in ascending order, so the result depends on the graph only.
 */
export function components({ size, start, targets }: Arcs): readonly (readonly number[])[] {
  const found: number[][] = [];
  /** 0: not met; otherwise 1 + the order in which it was met. */
  const met = new Int32Array(size);
  const low = new Int32Array(size);
  const open = new Uint8Array(size);
  const cursor = Int32Array.from(start.subarray(0, size));
  const pending: number[] = [];
  const path: number[] = [];
  let count = 0;

  const enter = (v: number): void => {
    met[v] = low[v] = ++count;
    open[v] = 1;
    pending.push(v);
    path.push(v);
  };

  for (let root = 0; root < size; root++) {
    if (met[root] !== 0) continue;
    enter(root);
    while (path.length > 0) {
      const v = path[path.length - 1]!;
      const slot = cursor[v]!;
      if (slot < start[v + 1]!) {
        cursor[v] = slot + 1;
        const w = targets[slot]!;
        if (met[w] === 0) enter(w);
        else if (open[w] === 1 && met[w]! < low[v]!) low[v] = met[w]!;
        continue;
      }
      path.pop();
      const parent = path[path.length - 1];
      if (parent !== undefined && low[v]! < low[parent]!) low[parent] = low[v]!;
      if (low[v] === met[v]) found.push(take(pending, v, open));
    }
  }
  return found;
}

/** Takes the component whose first vertex is `root` from the top of the stack. */
function take(pending: number[], root: number, open: Uint8Array): number[] {
  const from = pending.lastIndexOf(root);
  const component = pending.splice(from);
  for (const v of component) open[v] = 0;
  return component;
}

/** A shortest cycle through vertices of one component (it has one), as a list of vertices, each arc to the next. */
export function shortCycle({ start, targets }: Arcs, component: readonly number[]): readonly number[] {
  const members = new Set(component);
  let best: readonly number[] = component;
  // A few starting points find a short cycle in practice; all of them would be quadratic.
  for (const root of component.slice(0, 32)) {
    const cycle = cycleThrough({ start, targets }, root, members);
    if (cycle !== null && cycle.length < best.length) best = cycle;
  }
  return best;
}

function cycleThrough(
  { start, targets }: Pick<Arcs, "start" | "targets">,
  root: number,
  members: ReadonlySet<number>,
): readonly number[] | null {
  const before = new Map<number, number>();
  const queue = [root];
  for (let head = 0; head < queue.length; head++) {
    const v = queue[head]!;
    for (let slot = start[v]!; slot < start[v + 1]!; slot++) {
      const w = targets[slot]!;
      if (w === root) return trace(before, root, v);
      if (!members.has(w) || before.has(w)) continue;
      before.set(w, v);
      queue.push(w);
    }
  }
  return null;
}

function trace(before: ReadonlyMap<number, number>, root: number, last: number): readonly number[] {
  const cycle = [last];
  for (let v = last; v !== root; ) {
    v = before.get(v)!;
    cycle.push(v);
  }
  return cycle.reverse();
}
