// A page that has loaded Frond's WebGPU device. WebGPU computes on the processor there.

import { afterAll } from "vitest";
import type { WebGPUDevice } from "../../backends/webgpu/device.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { type InPage, type OpenPage as Opened, openPageWith } from "../gpu/page.ts";
import { unavailable } from "./unavailable.ts";

declare global {
  interface Window {
    readonly frondGpu: InPage<WebGPUDevice> & {
      readonly tfBackend: typeof import("@tensorflow/tfjs-backend-webgpu");
    };
  }
}

export interface OpenPage extends Opened {
  /** Ends the process that computes, as a fault of a driver would. */
  crashGpu(): Promise<void>;
}

async function openPage(): Promise<OpenPage> {
  const opened = await openPageWith({
    name: "frondGpu",
    device: "WebGPUDevice",
    file: "webgpu/device.js",
    tfBackend: "@tensorflow/tfjs-backend-webgpu",
    webgpu: true,
  });
  const crashGpu = async (): Promise<void> => {
    const session = await opened.browser.newBrowserCDPSession();
    await session.send("Browser.crashGpuProcess");
  };
  return { ...opened, crashGpu };
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
