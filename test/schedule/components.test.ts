import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arcsOf, components, shortCycle } from "../../compiler/schedule/components.ts";

const lists = fc
  .integer({ min: 1, max: 9 })
  .chain(n => fc.array(fc.array(fc.nat(n - 1), { maxLength: 3 }), { minLength: n, maxLength: n }));

/** reach[v][w]: a path of at least one arc. */
function reachability(arcs: readonly (readonly number[])[]): readonly (readonly boolean[])[] {
  const reach = arcs.map((_, v) => arcs.map((_, w) => arcs[v]!.includes(w)));
  for (let k = 0; k < arcs.length; k++) {
    for (let v = 0; v < arcs.length; v++) {
      for (let w = 0; w < arcs.length; w++) reach[v]![w] ||= reach[v]![k]! && reach[k]![w]!;
    }
  }
  return reach;
}

describe("strongly connected components", () => {
  test("hold what reaches each other, operands first", () => {
    fc.assert(
      fc.property(lists, arcs => {
        const found = components(arcsOf(arcs));
        const reach = reachability(arcs);
        const number = new Map(found.flatMap((component, i) => component.map(v => [v, i] as const)));
        expect(number.size).toBe(arcs.length);
        for (let v = 0; v < arcs.length; v++) {
          for (let w = 0; w < arcs.length; w++) {
            const together = v === w || (reach[v]![w]! && reach[w]![v]!);
            expect(number.get(v) === number.get(w)).toBe(together);
            if (reach[v]![w] && !together) expect(number.get(w)!).toBeLessThan(number.get(v)!);
          }
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("a short cycle is a cycle of the component", () => {
    fc.assert(
      fc.property(lists, arcs => {
        const compressed = arcsOf(arcs);
        for (const component of components(compressed)) {
          const [first] = component;
          if (component.length === 1 && !arcs[first!]!.includes(first!)) continue;
          const cycle = shortCycle(compressed, component);
          for (const [i, v] of cycle.entries()) {
            expect(component).toContain(v);
            expect(arcs[v]).toContain(cycle[(i + 1) % cycle.length]);
          }
        }
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  test("100,000 vertices in a chain, a cycle and one component each", () => {
    const n = 100_000;
    const chain = Array.from({ length: n }, (_, v) => (v === 0 ? [] : [v - 1]));
    expect(components(arcsOf(chain)).length).toBe(n);
    const cycle = Array.from({ length: n }, (_, v) => [(v + 1) % n]);
    expect(components(arcsOf(cycle)).length).toBe(1);
  });
});
