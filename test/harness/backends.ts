// Which backends tests compare with the reference.

import { backends } from "../../backends/registry.ts";

/** All that compute with float32. */
export const float32Backends: readonly string[] = backends
  .map(({ name }) => name)
  .filter(name => name !== "reference");
