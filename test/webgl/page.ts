// A page of a headless browser that has loaded Frond's WebGL device, for tests to run functions in: they are sent as
// text, so they see nothing of the test but their argument.

import type { Page } from "playwright-core";
import { launch } from "../../backends/browser/chromium.ts";
import { pageFiles } from "../../backends/browser/files.ts";
import type { DeviceOptions, WebGLDevice } from "../../backends/webgl/device.ts";
import { build } from "../browser/harness.ts";

declare global {
  interface Window {
    readonly frond: {
      /** Throws where there is none. */
      open(options?: DeviceOptions): Promise<WebGLDevice>;
      /** One for all who ask. */
      same(): Promise<WebGLDevice>;
      readonly tf: typeof import("@tensorflow/tfjs-core");
      readonly tfWebGL: typeof import("@tensorflow/tfjs-backend-webgl");
      /** What a function, or the promise that it returns, is refused with. */
      refusal(action: () => unknown): Promise<string>;
    };
  }
}

const script = `
import * as tf from "@tensorflow/tfjs-core";
import * as tfWebGL from "@tensorflow/tfjs-backend-webgl";
import { WebGLDevice } from "./dist/backends/webgl/device.js";
const open = async options => {
  const device = await WebGLDevice.open(options);
  if ("available" in device) throw new Error(device.reason);
  return device;
};
const refusal = async action => {
  try {
    await action();
    return "nothing was refused";
  } catch (error) {
    return error.name + ": " + error.message;
  }
};
let kept = null;
const same = () => (kept ??= open());
window.frond = { open, same, tf, tfWebGL, refusal };
`;

export interface OpenPage {
  readonly page: Page;
  /** What the page wrote to its console as a warning or error. */
  readonly complaints: readonly string[];
  /** The page as it was when nobody had used it. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function openPage(): Promise<OpenPage> {
  build();
  const files = pageFiles()!;
  const { browser } = await launch();
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("console", message => {
    if (["warning", "error"].includes(message.type())) complaints.push(message.text());
  });
  const map = JSON.stringify({ imports: files.imports });
  const html = `<!doctype html><link rel="icon" href="data:,"><script type="importmap">${map}</script>
<script type="module">${script}</script>`;
  // Nothing is served: the browser asks the test for everything.
  await page.route("**/*", async route => {
    const path = new URL(route.request().url()).pathname.slice(1);
    const body = path === "" ? html : files.read(path);
    // Else a page has no memory that threads share.
    const headers = {
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    };
    const contentType = path === "" ? "text/html" : "text/javascript";
    await route.fulfill(body === null ? { status: 404 } : { status: 200, headers, contentType, body });
  });
  const restart = async (): Promise<void> => {
    await page.goto("http://localhost/");
    await page.waitForFunction(() => window.frond !== undefined);
  };
  await restart();
  return { page, complaints, restart, close: () => browser.close() };
}
