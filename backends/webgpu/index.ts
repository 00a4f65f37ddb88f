// The `webgpu` backend, in a page or in a Node that has the package webgpu: programs as compute shaders, on buffers of
// tfjs's webgpu backend. Elsewhere in Node it runs in the page of a headless browser (backends/browser), which loads this
// file.

import type { Availability, Backend } from "../api.ts";
import type { Devices } from "../gpu/device.ts";
import { compileOn } from "../gpu/executable.ts";
import { unavailable } from "../misuse.ts";
import { WebGPUDevice } from "./device.ts";

let opening: ReturnType<typeof WebGPUDevice.open> | null = null;

/** The process's or page's device; a new one where the last does not work any more. */
async function open(): ReturnType<typeof WebGPUDevice.open> {
  const before = opening;
  const device = await before;
  const works = device !== null && !("available" in device) && device.lost === null;
  // Somebody else may have been faster.
  if (!works && opening === before) opening = WebGPUDevice.open();
  return opening!;
}

export const webgpu: Backend = {
  name: "webgpu",
  doc: "WebGPU by way of tfjs's webgpu backend, with generated shaders; float32, in browsers and in Node",
  async probe(): Promise<Availability> {
    const device = await open();
    return "available" in device ? device : { available: true, detail: device.detail };
  },
  compile: (program, { unroll = 1 } = {}) => compileOn(devices, program, unroll),
};

const devices: Devices = {
  backend: webgpu.name,
  async open() {
    const device = await open();
    if ("available" in device) throw unavailable(webgpu.name, device);
    return device;
  },
};
