// Every op, as a vector op and on a cycle, on every backend.

import { expect, test } from "vitest";
import { ops } from "../../compiler/ops/table.ts";
import { aspects, opCases } from "./cases.ts";
import { conformance } from "./suite.ts";

test("every op has a case", () => {
  expect(
    opCases.map(({ name }) => name.slice("ops/".length)).filter(name => !name.endsWith(".loop")),
  ).toEqual(Object.keys(ops).sort());
});

conformance(opCases, aspects);
