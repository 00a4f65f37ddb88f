// A page of a headless browser that has loaded Frond's WebGPU device, for tests to run functions in: they are sent as
// text, so they see nothing of the test but their argument. WebGPU computes on the processor there.

import type { Page } from "playwright-core";
import { afterAll } from "vitest";
import { launch } from "../../backends/browser/chromium.ts";
import { pageFiles } from "../../backends/browser/files.ts";
import type { WebGPUDevice } from "../../backends/webgpu/device.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { build } from "../browser/harness.ts";
import { unavailable } from "./unavailable.ts";

declare global {
  interface Window {
    readonly frondGpu: {
      /** Throws where there is none. */
      open(): Promise<WebGPUDevice>;
      /** One for all who ask. */
      same(): Promise<WebGPUDevice>;
      readonly tf: typeof import("@tensorflow/tfjs-core");
      readonly tfWebGPU: typeof import("@tensorflow/tfjs-backend-webgpu");
      /** What a function, or the promise that it returns, is refused with. */
      refusal(action: () => unknown): Promise<string>;
    };
  }
}

const script = `
import * as tf from "@tensorflow/tfjs-core";
import * as tfWebGPU from "@tensorflow/tfjs-backend-webgpu";
import { WebGPUDevice } from "./dist/backends/webgpu/device.js";
const open = async () => {
  const device = await WebGPUDevice.open();
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
window.frondGpu = { open, same, tf, tfWebGPU, refusal };
`;

export interface OpenPage {
  readonly page: Page;
  /** What the page wrote to its console as a warning or error. */
  readonly complaints: readonly string[];
  /** The page as it was when nobody had used it. */
  restart(): Promise<void>;
  /** Ends the process that computes, as a fault of a driver would. */
  crashGpu(): Promise<void>;
  close(): Promise<void>;
}

async function openPage(): Promise<OpenPage> {
  build();
  const files = pageFiles()!;
  const { browser } = await launch({ webgpu: true });
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
    await page.waitForFunction(() => window.frondGpu !== undefined);
  };
  const crashGpu = async (): Promise<void> => {
    const session = await browser.newBrowserCDPSession();
    await session.send("Browser.crashGpuProcess");
  };
  await restart();
  return { page, complaints, restart, crashGpu, close: () => browser.close() };
}

/** The page, or why there is none. */
async function tryToOpen(): Promise<OpenPage | string> {
  let opened: OpenPage | null = null;
  try {
    opened = await openPage();
    await opened.page.evaluate(async () => (await window.frondGpu.open()).close());
    return opened;
  } catch (error) {
    await opened?.close();
    // There is no browser; or no WebGPU in it.
    if (!(error instanceof FrondError) && opened === null) throw error;
    return (error as Error).message.split("\n")[0]!;
  }
}

/** Tests that need WebGPU in a browser. */
export async function inWebGPUTests(tests: (opened: OpenPage) => void): Promise<void> {
  const opened = await tryToOpen();
  if (typeof opened === "string") return unavailable(opened);
  afterAll(() => opened.close());
  tests(opened);
}
