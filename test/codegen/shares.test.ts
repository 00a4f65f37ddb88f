// Where threads meet: before one reads or writes what another wrote, or writes what another reads; and nowhere else.

import { describe, expect, test } from "vitest";
import { meetings, type Share } from "../../backends/codegen/shares.ts";

const unit = (share: Share, reads: readonly string[], writes: readonly string[]) => ({
  work: null,
  share,
  reads,
  writes,
});

describe("threads meet", () => {
  test.each([
    ["rows", "one"],
    ["one", "rows"],
    ["one", "turn"],
    ["turn", "one"],
    ["turn", "turn"],
    ["turn", "rows"],
    ["parts", "parts"],
    ["parts", "one"],
    ["rows", "parts"],
  ] as const)("between %s and %s, where the second reads what the first wrote", (first, second) => {
    expect(meetings([unit(first, [], ["a"]), unit(second, ["a"], ["b"])])).toEqual([false, true]);
    expect(meetings([unit(first, [], ["a"]), unit(second, ["c"], ["b"])])).toEqual([false, false]);
  });

  test("before one writes what another still reads", () => {
    const read = unit("rows", ["weight"], ["a"]);
    expect(meetings([read, unit("parts", [], ["weight"])])).toEqual([false, true]);
  });

  test("once for all that came before", () => {
    const units = [
      unit("rows", [], ["a"]),
      unit("rows", [], ["b"]),
      unit("one", ["a"], ["c"]),
      unit("one", ["b"], ["d"]),
    ];
    expect(meetings(units)).toEqual([false, false, true, false]);
  });

  test("not where each goes on with its own", () => {
    for (const share of ["rows", "one"] as const) {
      expect(meetings([unit(share, [], ["a"]), unit(share, ["a"], ["b"])])).toEqual([false, false]);
    }
  });
});
