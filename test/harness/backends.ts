// Which backends tests compare with the reference.

import { backends } from "../../backends/registry.ts";

/** They need a browser or a library, and take long: tests of their own run them (test/conformance). */
const elsewhere: readonly string[] = ["webgl", "webgpu", "native"];

/** All that compute with float32 wherever JavaScript runs. */
export const float32Backends: readonly string[] = backends
  .map(({ name }) => name)
  .filter(name => name !== "reference" && !elsewhere.includes(name));
