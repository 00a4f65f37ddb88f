// Size polynomials: the rules of arithmetic hold for every value of the names, and comparisons never lie.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addSizes,
  bareName,
  compareSizes,
  constantOf,
  constantSize,
  divideExactly,
  divideSizes,
  evaluateSize,
  isSame,
  multiplySizes,
  namedSize,
  negateSize,
  printSize,
  type Size,
  signOf,
  substituteSizes,
  subtractSizes,
} from "../../compiler/semantics/size.ts";

const [d, units, four] = [namedSize("d"), namedSize("units"), constantSize(4)];

const names = ["a", "b", "c"] as const;

/** A size built at random, with the same computation on plain numbers. */
interface Pair {
  readonly size: Size;
  readonly value: (at: ReadonlyMap<string, number>) => number;
}

const leaf: fc.Arbitrary<Pair> = fc.oneof(
  fc.integer({ min: -5, max: 9 }).map(n => ({ size: constantSize(n), value: () => n })),
  fc.constantFrom(...names).map((name): Pair => ({ size: namedSize(name), value: at => at.get(name)! })),
);

const pair: fc.Arbitrary<Pair> = fc.letrec<{ pair: Pair }>(tie => ({
  pair: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc
      .tuple(fc.constantFrom("+", "-", "*", "/"), tie("pair"), tie("pair"))
      .map(([operator, left, right]): Pair => combine(operator, left, right)),
  ),
})).pair;

function combine(operator: string, left: Pair, right: Pair): Pair {
  const [a, b] = [left.size, right.size];
  if (operator === "+") return { size: addSizes(a, b), value: at => left.value(at) + right.value(at) };
  if (operator === "-") return { size: subtractSizes(a, b), value: at => left.value(at) - right.value(at) };
  if (operator === "*") return { size: multiplySizes(a, b), value: at => left.value(at) * right.value(at) };
  const divisor = Math.max(1, Math.abs(constantOf(b) ?? 3));
  return {
    size: divideSizes(a, constantSize(divisor)) ?? a,
    value: at => Math.floor(left.value(at) / divisor),
  };
}

const values = fc
  .tuple(...names.map(() => fc.integer({ min: 1, max: 12 })))
  .map(numbers => new Map(names.map((name, at) => [name, numbers[at]!])));

const settings = { seed: 20, numRuns: 400 };

describe("properties", () => {
  test("evaluation is arithmetic", () => {
    fc.assert(
      fc.property(pair, values, ({ size, value }, at) => {
        expect(evaluateSize(size, at)).toBe(value(at) + 0);
      }),
      settings,
    );
  });

  test("comparison and sign hold for every value", () => {
    fc.assert(
      fc.property(pair, pair, values, (left, right, at) => {
        const [a, b] = [evaluateSize(left.size, at), evaluateSize(right.size, at)];
        const comparison = compareSizes(left.size, right.size);
        if (comparison === "equal") expect(a).toBe(b);
        if (comparison === "different") expect(a).not.toBe(b);
        const sign = signOf(left.size);
        if (sign === "positive") expect(a).toBeGreaterThan(0);
        if (sign === "negative") expect(a).toBeLessThan(0);
      }),
      settings,
    );
  });

  test("exact division undoes multiplication", () => {
    fc.assert(
      fc.property(pair, fc.constantFrom(units, d, four), ({ size }, factor) => {
        const product = multiplySizes(size, factor);
        const quotient = divideExactly(product, factor);
        expect(quotient !== null && isSame(quotient, size)).toBe(true);
      }),
      settings,
    );
  });

  test("substitution commutes with evaluation", () => {
    fc.assert(
      fc.property(pair, pair, values, (outer, inner, at) => {
        const inside = Math.max(1, evaluateSize(inner.size, at));
        const substituted = substituteSizes(outer.size, new Map([["a", constantSize(inside)]]));
        expect(evaluateSize(substituted, at)).toBe(evaluateSize(outer.size, new Map([...at, ["a", inside]])));
      }),
      settings,
    );
  });
});

describe("printing", () => {
  test.each([
    [multiplySizes(four, units), "4*units"],
    [addSizes(multiplySizes(four, units), constantSize(1)), "4*units + 1"],
    [subtractSizes(multiplySizes(units, d), four), "d*units - 4"],
    [negateSize(d), "-d"],
    [constantSize(0), "0"],
    [divideSizes(addSizes(d, constantSize(1)), constantSize(2))!, "((d + 1)/2)"],
    [divideSizes(addSizes(multiplySizes(four, d), constantSize(3)), constantSize(2))!, "2*d + 1"],
  ])("%#", (size, text) => {
    expect(printSize(size)).toBe(text);
  });
});

describe("comparison", () => {
  test.each([
    [units, units, "equal"],
    [multiplySizes(four, units), units, "different"],
    [units, addSizes(units, constantSize(1)), "different"],
    [units, d, "unknown"],
    [units, four, "unknown"],
    [addSizes(units, d), constantSize(1), "different"],
    [constantSize(10), constantSize(12), "different"],
  ] as const)("%#", (left, right, wanted) => {
    expect(compareSizes(left, right)).toBe(wanted);
  });

  test("the position along a static axis may be anything", () => {
    const position = namedSize("k");
    expect(signOf(position)).toBe("positive");
    expect(signOf(position, () => null)).toBe("unknown");
  });
});

test("names and constants", () => {
  expect(bareName(units)).toBe("units");
  expect(bareName(multiplySizes(four, units))).toBeNull();
  expect(bareName(multiplySizes(units, units))).toBeNull();
  expect(constantOf(four)).toBe(4);
  expect(constantOf(subtractSizes(units, units))).toBe(0);
  expect(divideSizes(units, constantSize(0))).toBeNull();
});
