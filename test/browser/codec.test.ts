// What goes into a message comes out of it: values of every kind, shared objects as one, arrays as they lie in memory.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, encode } from "../../backends/browser/codec.ts";
import { compileNamed, modelNames } from "../harness/models.ts";
import { trainingProgram } from "./harness.ts";

const again = (value: unknown): unknown => decode(encode(value).buffer);

const arrays = fc.oneof(
  fc.float32Array(),
  fc.float64Array(),
  fc.int32Array(),
  fc.uint8Array(),
  fc.int16Array(),
  fc.bigInt64Array(),
  // Views whose memory begins elsewhere.
  fc.float32Array({ minLength: 3 }).map(array => array.subarray(1, 3)),
);

const values = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, undefined, true, false, Number.NaN, -0, Infinity, -Infinity),
    fc.double(),
    fc.string({ unit: "grapheme" }),
    arrays,
    fc.array(tie("value")),
    fc.dictionary(fc.string().filter(key => key !== "__proto__"), tie("value"), { noNullPrototype: true }), // biome-ignore format: one kind a line
    fc.array(fc.tuple(tie("value"), tie("value"))).map(entries => new Map(entries)),
    fc.array(tie("value")).map(entries => new Set(entries)),
  ),
})).value;

test("every value comes back", () => {
  const property = fc.property(values, value => {
    expect(again(value)).toStrictEqual(value);
  });
  fc.assert(property, { numRuns: 300 });
});

test("arrays come back bit by bit, aligned, whatever stands before them", () => {
  const pairs = fc.array(fc.tuple(fc.string(), arrays));
  fc.assert(
    fc.property(pairs, entries => {
      const sent = new Map(entries);
      const received = again(sent) as typeof sent;
      expect([...received.keys()]).toEqual([...sent.keys()]);
      for (const [name, array] of sent) {
        const found = received.get(name)!;
        expect(found.constructor).toBe(array.constructor);
        expect(found.byteOffset % 8).toBe(0);
        expect(Buffer.from(found.buffer, found.byteOffset, found.byteLength)).toEqual(
          Buffer.from(array.buffer, array.byteOffset, array.byteLength),
        );
      }
    }),
  );
});

test("memory that threads share is copied", () => {
  const shared = new Float32Array(new SharedArrayBuffer(16)).fill(2);
  expect(again({ shared })).toEqual({ shared: new Float32Array(4).fill(2) });
});

test("one object stays one object, and a cycle a cycle", () => {
  const source = { name: "a.frond", text: "model A {}" };
  const spans: { source: typeof source; other?: unknown }[] = [{ source }, { source }];
  spans[0]!.other = spans;
  const [first, second] = again(spans) as typeof spans;
  expect(first!.source).toBe(second!.source);
  expect(first!.other).toContain(second);
});

class Own {}
const foreign = [["a function", () => 1], ["a symbol", Symbol("s")], ["an object of a class", new Own()], ["a view of another kind", new DataView(new ArrayBuffer(8))]] as const; // biome-ignore format: a table

test.each(foreign)("%s is refused", (_, value) => {
  expect(() => encode({ value })).toThrow();
});

describe.each(modelNames)("%s", name => {
  test("its programs come back", () => {
    const model = compileNamed(name);
    for (const program of [model.infer(), model.gradients()]) {
      const received = again(program) as typeof program;
      expect(received).toStrictEqual(program);
      expect(received.schedule.graph === received.graph).toBe(program.schedule.graph === program.graph);
    }
  });
});

test("a program takes a few hundred bytes a node", () => {
  const program = trainingProgram("layer-norm-lstm");
  expect(encode(program).byteLength / program.graph.nodes.size).toBeLessThan(500);
});
