// What stands for the tests that need WebGPU where there is none.

import { expect, test } from "vitest";

const required = (process.env.FROND_REQUIRE ?? "").split(",").includes("webgpu");

/** A single test that is skipped and says why; one that fails where FROND_REQUIRE has webgpu. */
export function unavailable(reason: string): void {
  if (required) test("WebGPU opens", () => expect.fail(reason));
  else skipped(reason);
}

export function skipped(reason: string): void {
  test.skip(`on WebGPU: ${reason}`, () => {});
  process.stderr.write(`skipped: the tests on WebGPU: ${reason}\n`);
}
