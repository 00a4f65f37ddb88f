// The safetensors format: round trip, what the reference implementation wrote, and every way a header can lie.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readSafetensors, writeSafetensors } from "../../runtime/checkpoints/safetensors.ts";
import { codesOf, diagnosticsOf } from "./codes.ts";
import { tensors } from "./tensors.ts";

const none = new Map<string, string>();

test("what is written is read back", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1 }).filter(text => text !== "__metadata__");
  const named = fc.array(fc.tuple(name, tensors()), { maxLength: 6 });
  const metadata = fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 3 });
  fc.assert(
    fc.property(named, metadata, (entries, texts) => {
      const checkpoint = { tensors: new Map(entries), metadata: new Map(texts) };
      const read = readSafetensors(writeSafetensors(checkpoint), "w");
      expect(new Map([...read.tensors])).toEqual(checkpoint.tensors);
      expect(read.metadata).toEqual(checkpoint.metadata);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test("every tensor is aligned to the width of its elements", () => {
  const tensor = (data: Float32Array | Float64Array | Uint8Array) => ({
    dtype: data instanceof Uint8Array ? ("bool" as const) : ("real" as const),
    shape: [data.length],
    data,
  });
  const bytes = writeSafetensors({
    tensors: new Map([
      ["a", tensor(Uint8Array.of(1))],
      ["b", tensor(Float64Array.of(1))],
      ["c", tensor(Float32Array.of(1))],
    ]),
    metadata: none,
  });
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  expect(length % 8).toBe(0);
  expect(header.b.data_offsets).toEqual([0, 8]);
  expect(header.c.data_offsets).toEqual([8, 12]);
  expect(header.a.data_offsets).toEqual([12, 13]);
});

test("a file of the reference implementation", () => {
  const file = readFileSync(join(import.meta.dirname, "..", "golden", "numpy.safetensors"));
  const { tensors: found, metadata } = readSafetensors(file, "w");
  const listed = [...found].map(([name, { dtype, shape, data }]) => [name, dtype, shape, [...data]]);
  expect(listed).toEqual([
    ["b", "bool", [2], [1, 0]],
    ["f4", "real", [2, 2], [0.5, 1.5, 2.5, 3.5]],
    ["f8", "real", [1], [0.1]],
    ["i4", "index", [], [-7]],
    ["i8", "index", [2], [1, -1]],
    ["u1", "bool", [2], [0, 255]],
  ]);
  expect([...metadata]).toEqual([["made", "by numpy"]]);
});

/** A file with that header; `body` bytes follow. */
function fileOf(header: string, body = 0, length = header.length): Uint8Array {
  const text = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + text.length + body);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.set(text, 8);
  return file;
}

describe("headers that lie are refused", () => {
  const entry = (start: number, end: number, shape = "[1]", dtype = "F32") =>
    `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${start},${end}]}`;
  const cases: readonly [string, Uint8Array, string][] = [
    ["too short", Uint8Array.of(1, 2, 3), "3 bytes"],
    ["length beyond the file", fileOf("{}", 0, 1000), "promise a header of 1000 bytes"],
    ["absurd length", fileOf("{}", 0, 2 ** 52), "promise a header"],
    ["no JSON", fileOf("{x}"), "no JSON"],
    ["no object", fileOf("[]"), "no JSON object"],
    ["no UTF-8", Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), "no UTF-8"],
    ["a name twice", fileOf(`{"a":${entry(0, 4)},"a":${entry(0, 4)}}`, 4), "names `a` twice"],
    ["a name twice, escaped", fileOf(`{"a":${entry(0, 4)},"\\u0061":${entry(0, 4)}}`, 4), "names `a` twice"],
    ["a gap", fileOf(`{"a":${entry(4, 8)}}`, 8), "leaves a gap"],
    ["an overlap", fileOf(`{"a":${entry(0, 4)},"b":${entry(2, 6)}}`, 6), "overlaps"],
    ["past the end", fileOf(`{"a":${entry(0, 4)}}`, 2), "cut off"],
    ["bytes left over", fileOf(`{"a":${entry(0, 4)}}`, 6), "the file has 6"],
    ["end before start", fileOf(`{"a":${entry(4, 0)}}`, 4), "before it starts"],
    ["shape and bytes disagree", fileOf(`{"a":${entry(0, 4, "[2]")}}`, 4), "does not take 4 bytes"],
    ["negative size", fileOf(`{"a":${entry(0, 4, "[-1]")}}`, 4), "no list of sizes"],
    [
      "offsets that are no numbers",
      fileOf(`{"a":{"dtype":"F32","shape":[],"data_offsets":["0",4]}}`, 4),
      "no pair",
    ],
    ["metadata that are no strings", fileOf(`{"__metadata__":{"a":1}}`), "metadata"],
    ["an integer too large", fileOf(`{"a":${entry(0, 8, "[1]", "I64")}}`, 8).fill(0x7f, -1), "does not fit"],
  ];
  test.each(cases)("%s", async (_, file, why) => {
    const [found] = await diagnosticsOf(() => readSafetensors(file, "w"));
    expect(found?.code).toBe("F0822");
    expect(found?.help.join()).toContain(why);
  });

  test("a type that is not read is named", async () => {
    const found = await diagnosticsOf(() =>
      readSafetensors(fileOf(`{"a":${entry(0, 2, "[1]", "BF16")}}`, 2), "w"),
    );
    expect(found.map(({ title }) => title)).toEqual([
      "tensor `a` of `w` has the type BF16, which Frond does not read",
    ]);
  });

  test("no damage to a sound file goes unseen or throws anything else", async () => {
    const sound = fileOf(`{"a":${entry(0, 4)},"b":${entry(4, 8)}}`, 8);
    for (let length = 0; length < sound.length; length++) {
      expect(await codesOf(() => readSafetensors(sound.subarray(0, length), "w"))).toEqual(["F0822"]);
    }
    const flips = fc.tuple(fc.nat(sound.length - 1), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(flips, async ([at, bits]) => {
        const file = sound.map((byte, i) => (i === at ? byte ^ bits : byte));
        expect((await codesOf(() => readSafetensors(file, "w"))).length).toBeLessThanOrEqual(1);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
