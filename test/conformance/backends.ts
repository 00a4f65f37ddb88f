// The backends that the conformance suite runs on: all of the registry that open here, or those that FROND_TEST_BACKENDS
// names. One that FROND_REQUIRE names and that does not open fails every test; any other is left out, which is said.

import type { Backend } from "../../backends/api.ts";
import { backends } from "../../backends/registry.ts";
import { build } from "../browser/harness.ts";

const required = (process.env.FROND_REQUIRE ?? "").split(",");
const chosen = process.env.FROND_TEST_BACKENDS?.split(",");

// The page of a browser loads dist/.
if (chosen === undefined || chosen.some(name => name.startsWith("webg"))) build();
const probed = await Promise.all(
  backends.map(async backend => {
    if (chosen !== undefined) return chosen.includes(backend.name) ? [backend] : [];
    const availability = await backend.probe();
    if (availability.available || required.includes(backend.name)) return [backend];
    process.stderr.write(`left out: ${backend.name}: ${availability.reason}\n`);
    return [];
  }),
);

export const backendsHere: readonly Backend[] = probed.flat();
