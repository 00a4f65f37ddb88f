// Models on webgpu, directly where Node has it and else in the page of a headless browser. In software that takes long: a
// sixth of them for each thing that is asked, unless FROND_REQUIRE names webgpu.

import { afterAll } from "vitest";
import { closeBrowsers } from "../../backends/browser/index.ts";
import { backends } from "../../backends/registry.ts";
import { build } from "../browser/harness.ts";
import { modelNames } from "../harness/models.ts";
import { unavailable } from "../webgpu/unavailable.ts";
import { conformance } from "./models.ts";

const required = (process.env.FROND_REQUIRE ?? "").split(",").includes("webgpu");

build();
const availability = await backends.find(({ name }) => name === "webgpu")!.probe();
afterAll(closeBrowsers);
if (!availability.available) unavailable(availability.reason);
else conformance("webgpu", turn => modelNames.filter((_, i) => required || i % 6 === 2 * turn));
