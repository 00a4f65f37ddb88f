// FROND_REQUIRE=reference,cpu names the backends that must open on this machine; without it, those that run
// everywhere. So a backend that cannot be had fails the run instead of being passed over in silence.

import { expect, test } from "vitest";
import { openBackend } from "../backends/registry.ts";

const required = (process.env.FROND_REQUIRE ?? "reference").split(",").filter(name => name !== "");

test.each(required)("backend %s opens", async name => {
  const backend = await openBackend(name);
  expect(await backend.probe()).toMatchObject({ available: true });
});
