// The same tests for webgl and webgpu, each where it is there.

import { afterAll, describe } from "vitest";
import { closeBrowsers } from "../../backends/browser/index.ts";
import { backends } from "../../backends/registry.ts";
import { build, inBrowserTests } from "../browser/harness.ts";
import { unavailable } from "../webgpu/unavailable.ts";

export async function onDevices(tests: (backend: string) => void): Promise<void> {
  build();
  const availability = await backends.find(({ name }) => name === "webgpu")!.probe();
  afterAll(closeBrowsers);
  inBrowserTests(() => describe("on webgl", () => tests("webgl")));
  if (availability.available) describe("on webgpu", () => tests("webgpu"));
  else unavailable(availability.reason);
}
