// The suite finds a backend that computes one op wrongly, and names the node.

import { expect, test } from "vitest";
import { reference } from "../../backends/reference/index.ts";
import { wasm } from "../../backends/wasm/index.ts";
import { broken } from "../harness/broken.ts";
import { aspects, opCases, programCases } from "./cases.ts";
import { compute, differenceOf } from "./difference.ts";

const lstm = programCases.find(({ name }) => name === "programs/lstm")!;
const tanh = opCases.find(({ name }) => name === "ops/tanh.loop")!;

test.each(aspects)("%s of a cell with sin for tanh", async aspect => {
  const wrong = broken(wasm, node => node.op === "tanh", "sin");
  const expected = await compute(lstm, aspect, reference);
  expect(await differenceOf(lstm, aspect, wrong, expected)).toMatch(
    /^\d\.\S+ differs by 0\.\d+, where 0\.00?0?1 is tolerated; it parts from the reference at %\d+ = tanh\(%\d+\) : real\[4\] @ t batched {2}# h\.c, \{"example":\d,"positions":\{"t":0\},"feature":\[\d\]\}: -?[\d.]+ for -?[\d.]+$/,
  );
  expect(await differenceOf(lstm, aspect, wasm, expected)).toBeNull();
});

test("an op on a cycle", async () => {
  const wrong = broken(wasm, node => node.op === "tanh", "sin");
  const expected = await compute(tanh, "values", reference);
  expect(await differenceOf(tanh, "values", wrong, expected)).toContain("= tanh(");
});
