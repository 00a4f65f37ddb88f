// Every backend against the float64 reference: forward and all gradients of the usual cells and awkward shapes of
// recurrence, under every way of scheduling, with ragged lengths and anything in the padding.

import { describe, expect, test } from "vitest";
import { conformingBackends } from "../harness/backends.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { graphs, withGradients } from "../harness/graphs.ts";
import { tolerances } from "../harness/tolerances.ts";
import { errorOn, schedulings } from "./run.ts";

const cases = Object.entries(graphs).flatMap(([graph, make]) =>
  conformingBackends.map(name => ({ name, graph, make })),
);

describe.each(cases)("$graph on $name", ({ name, make }) => {
  const graph = withGradients(make());
  test.each(schedulings)("ragged, NaN and 1e30 in the padding: %o", async options => {
    const environment = randomEnvironment(graph, { batch: 5, extent: 6, shortest: 0, padding: "mixed" });
    expect(await errorOn(name, graph, environment, options)).toBeLessThan(tolerances.float32);
  });
  test.each(schedulings)("equal lengths: %o", async options => {
    const environment = randomEnvironment(graph, { seed: 2, batch: 4, extent: 5, shortest: 5 });
    expect(await errorOn(name, graph, environment, options)).toBeLessThan(tolerances.float32);
  });
  test("one example of one step", async () => {
    const environment = randomEnvironment(graph, { seed: 3, batch: 1, extent: 1 });
    expect(await errorOn(name, graph, environment)).toBeLessThan(tolerances.float32);
  });
});
