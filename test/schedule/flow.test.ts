import fc from "fast-check";
import { expect, test } from "vitest";
import { FlowNetwork, unbounded } from "../../compiler/schedule/flow.ts";

interface Arc {
  readonly from: number;
  readonly to: number;
  readonly capacity: number;
}

const size = 6;
const arcs = fc.array(fc.record({ from: fc.nat(size - 1), to: fc.nat(size - 1), capacity: fc.nat(9) }), {
  maxLength: 14,
});

const cost = (list: readonly Arc[], side: ReadonlySet<number>): number =>
  list.reduce((sum, { from, to, capacity }) => sum + (side.has(from) && !side.has(to) ? capacity : 0), 0);

/** Over all sets that hold vertex 0 and not vertex 1. */
function cheapest(list: readonly Arc[]): number {
  let best = Number.POSITIVE_INFINITY;
  for (let bits = 0; bits < 1 << (size - 2); bits++) {
    const side = new Set([0]);
    for (let v = 2; v < size; v++) if ((bits >> (v - 2)) & 1) side.add(v);
    best = Math.min(best, cost(list, side));
  }
  return best;
}

test("the cut costs what the cheapest of all cuts costs", () => {
  fc.assert(
    fc.property(arcs, list => {
      const network = new FlowNetwork();
      for (let v = 0; v < size; v++) network.vertex();
      for (const { from, to, capacity } of list) network.arc(from, to, capacity);
      const side = network.minimumCut(0, 1);
      expect(side.has(0)).toBe(true);
      expect(side.has(1)).toBe(false);
      expect(cost(list, side)).toBe(cheapest(list));
    }),
    { seed: 3, numRuns: 500 },
  );
});

test("of equal cuts it takes the one nearest to the sink, and never an unbounded arc", () => {
  const network = new FlowNetwork();
  const [source, a, b, sink] = [0, 1, 2, 3].map(() => network.vertex()) as [number, number, number, number];
  network.arc(source, a, 5);
  network.arc(a, b, 5);
  network.arc(b, sink, unbounded);
  expect(network.minimumCut(source, sink)).toEqual(new Set([source, a]));
});
