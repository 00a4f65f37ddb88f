// Which backends tests compare with the reference.

import { backends } from "../../backends/registry.ts";

/** Where it is not certain that they are there, or where all of it twice would take too long: tests of their own ask for these. */
const elsewhere: readonly string[] = ["webgl", "webgpu", "native"];

/** All that compute with float32 and are tested by every test. FROND_TEST_BACKENDS=NAME,.. names others instead. */
export const float32Backends: readonly string[] =
  process.env.FROND_TEST_BACKENDS?.split(",") ??
  backends.map(({ name }) => name).filter(name => name !== "reference" && !elsewhere.includes(name));

const required = (process.env.FROND_REQUIRE ?? "").split(",");

/** Those on which every op is tested: of the others the ones that must open here. */
export const conformingBackends: readonly string[] = [
  ...float32Backends,
  ...elsewhere.filter(name => required.includes(name) && !float32Backends.includes(name)),
];
