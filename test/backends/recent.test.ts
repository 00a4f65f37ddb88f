// The cache of what was made for the last calls.

import { expect, test } from "vitest";
import { Recent } from "../../backends/recent.ts";

test("what was not used for longest makes room, and is told so", () => {
  const forgotten: number[] = [];
  const recent = new Recent<number>(2, value => void forgotten.push(value));
  recent.put("one", 1);
  recent.put("two", 2);
  expect(recent.get("one")).toBe(1);
  recent.put("three", 3);
  expect(forgotten).toEqual([2]);
  expect(["one", "two", "three"].map(key => recent.get(key))).toEqual([1, undefined, 3]);
  recent.clear();
  expect(forgotten).toEqual([2, 1, 3]);
  expect(recent.get("one")).toBeUndefined();
});
