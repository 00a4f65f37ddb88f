// Every model on webgl, in the page of a headless browser.

import { afterAll, beforeAll } from "vitest";
import { closeBrowsers } from "../../backends/browser/index.ts";
import { build, inBrowserTests } from "../browser/harness.ts";
import { conformance } from "./models.ts";

inBrowserTests(() => {
  beforeAll(build);
  afterAll(closeBrowsers);
  conformance("webgl");
});
