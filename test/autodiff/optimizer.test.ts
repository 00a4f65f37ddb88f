// Clipping is by the norm of all gradients together, whatever the parameters' shapes and axes.

import { expect, test } from "vitest";
import { reference } from "../../backends/reference/index.ts";
import { compileNamed, environmentOf } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";
import { trainOn } from "../harness/training.ts";

const sgd = { kind: "sgd", rate: 1, momentum: 0, nesterov: false } as const;
const common = { optimizer: sgd, batch: 3, epochs: 1 };

/** How far one step of rate 1 moves all parameters: the norm of what is left of the gradients. */
async function moved(name: string, clipNorm: number | null): Promise<number> {
  const program = compileNamed(name).train({ ...common, clipNorm });
  const environment = environmentOf(program);
  const after = await trainOn(reference, program, [environment]);
  let squares = 0;
  for (const [parameter, { data }] of environment.parameters) {
    for (const [i, value] of data.entries()) squares += (value - after.get(parameter)!.data[i]!) ** 2;
  }
  return Math.sqrt(squares);
}

/** Models of which some parameters have static axes, and one without. */
test.each(["convolution", "static-heads", "clockwork", "lstm"])("%s moves by the norm", async name => {
  const whole = await moved(name, null);
  expect(whole).toBeGreaterThan(0.01);
  expect(Math.abs((await moved(name, whole / 3)) / (whole / 3) - 1)).toBeLessThan(tolerances.differences);
  // A gradient shorter than the norm stays as it is.
  expect(Math.abs((await moved(name, 2 * whole)) / whole - 1)).toBeLessThan(tolerances.differences);
});
