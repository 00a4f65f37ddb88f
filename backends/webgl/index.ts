// The `webgl` backend, in a page: programs as draws of WebGL 2, on tfjs's webgl backend. From Node it runs in the page of a
// headless browser (backends/browser), which loads this file.

import type { Availability, Backend } from "../api.ts";
import type { Devices } from "../gpu/device.ts";
import { compileOn } from "../gpu/executable.ts";
import { unavailable } from "../misuse.ts";
import { WebGLDevice } from "./device.ts";

let opening: ReturnType<typeof WebGLDevice.open> | null = null;

/** The page's device; a new one where the browser has taken away the last. */
async function open(): ReturnType<typeof WebGLDevice.open> {
  const before = opening;
  const device = await before;
  const isUsable = device !== null && !("available" in device) && device.lost === null;
  // Of several that find it lost, one opens another.
  if (!isUsable && opening === before) opening = WebGLDevice.open();
  return opening!;
}

export const webgl: Backend = {
  name: "webgl",
  doc: "WebGL 2 by way of tfjs's webgl backend, with generated shaders; float32, in browsers and, through one, in Node",
  async probe(): Promise<Availability> {
    const device = await open();
    return "available" in device ? device : { available: true, detail: device.detail };
  },
  compile: (program, { unroll = 1 } = {}) => compileOn(devices, program, unroll),
};

const devices: Devices = {
  backend: webgl.name,
  async open() {
    const device = await open();
    if ("available" in device) throw unavailable(webgl.name, device);
    return device;
  },
};
