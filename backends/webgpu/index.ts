// The `webgpu` backend, in a page or in a Node that has the package webgpu: programs as compute shaders, on buffers of
// tfjs's webgpu backend. Elsewhere in Node it runs in the page of a headless browser (backends/browser), which loads this
// file.

import { gpuBackend } from "../gpu/backend.ts";
import { WebGPUDevice } from "./device.ts";

export const webgpu = gpuBackend(
  "webgpu",
  "WebGPU by way of tfjs's webgpu backend, with generated shaders; float32, in browsers and in Node",
  () => WebGPUDevice.open(),
);
