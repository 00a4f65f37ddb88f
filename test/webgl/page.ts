// A page that has loaded Frond's WebGL device.

import type { DeviceOptions, WebGLDevice } from "../../backends/webgl/device.ts";
import { type InPage, type OpenPage, openPageWith } from "../gpu/page.ts";

export type { OpenPage } from "../gpu/page.ts";

declare global {
  interface Window {
    readonly frond: InPage<WebGLDevice, DeviceOptions> & {
      readonly tfBackend: typeof import("@tensorflow/tfjs-backend-webgl");
    };
  }
}

export const openPage = (): Promise<OpenPage> =>
  openPageWith({
    name: "frond",
    device: "WebGLDevice",
    file: "webgl/device.js",
    tfBackend: "@tensorflow/tfjs-backend-webgl",
    webgpu: false,
  });
