// NumPy archives: what NumPy itself wrote is read, what we write is read back, what is broken is refused.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../backends/api.ts";
import { readNpy, writeNpy } from "../../runtime/data/npy.ts";
import { readNpz, writeNpz } from "../../runtime/data/npz.ts";
import { diagnosticsOf } from "./codes.ts";
import { tensors } from "./tensors.ts";

const golden = (name: string) => readFileSync(join(import.meta.dirname, "..", "golden", name));
const range = Array.from({ length: 12 }, (_, i) => i - 3);

describe("arrays written by NumPy", () => {
  const arrays = readNpz(golden("numpy.npz"), "numpy.npz");
  const cases: readonly (readonly [string, Tensor["dtype"], readonly number[]])[] = [
    ["f4", "real", range.map(value => value / 8)],
    ["f8", "real", range.map(value => value / 8)],
    ...["i1", "i2", "i4", "i8"].map(name => [name, "index", range] as const),
    ...["u1", "u2", "u4", "u8"].map(name => [name, "index", range.map(value => value + 3)] as const),
    ["b1", "bool", range.map(value => Number(value > 2))],
    ["fortran", "real", range],
  ];
  test.each(cases)("%s", (name, dtype, values) => {
    const tensor = arrays.get(name)!;
    expect(tensor.dtype).toBe(dtype);
    expect(tensor.shape).toEqual([2, 3, 2]);
    expect([...tensor.data]).toEqual(values);
  });

  test("integers of more than 32 bits become reals; scalars and empty arrays have their shapes", () => {
    expect([...arrays.get("wide")!.data]).toEqual([2 ** 40, -1]);
    expect(arrays.get("wide")!.dtype).toBe("real");
    expect(arrays.get("scalar")!.shape).toEqual([]);
    expect(arrays.get("empty")!.shape).toEqual([0, 3]);
  });

  test("version 2", () => {
    expect([...readNpy(golden("version2.npy"), "x", "version2.npy").data]).toEqual(range);
  });

  test("elements of other kinds are refused by name", async () => {
    const found = await diagnosticsOf(() => readNpz(golden("numpy-refused.npz"), "r.npz"));
    expect(found[0]!.title).toBe("array `big` of `r.npz` cannot be read");
    expect(found[0]!.help[0]).toContain("astype('<f4')");
  });
});

test("what is written is read back", () => {
  fc.assert(
    fc.property(tensors(), tensors(), (x, y) => {
      const written = new Map([
        ["x", x],
        ["y.length", y],
      ]);
      expect(readNpz(writeNpz(written), "f")).toEqual(written);
    }),
    { seed: 1, numRuns: 100 },
  );
});

test("the same arrays give the same bytes", () => {
  const x = { dtype: "index", shape: [2], data: Int32Array.of(1, 2) } as const;
  expect(writeNpz(new Map([["x", x]]))).toEqual(writeNpz(new Map([["x", x]])));
});

test("no damaged file gets by without a diagnostic or throws anything else", async () => {
  const x: Tensor = { dtype: "real", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) };
  const whole = writeNpy(x);
  for (let length = 0; length < whole.length; length++) {
    const found = await diagnosticsOf(() => readNpy(whole.subarray(0, length), "x", "f"));
    expect(found.map(({ code }) => code)).toEqual(["F0831"]);
  }
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async bytes => {
      const file = Uint8Array.of(0x50, 0x4b, 3, 4, ...bytes);
      const found = await diagnosticsOf(() => readNpz(file, "f"));
      expect(found.length).toBeLessThanOrEqual(1);
    }),
    { seed: 1, numRuns: 200 },
  );
});
