// The `webgl` backend, in a page: programs as draws of WebGL 2, on tfjs's webgl backend. From Node it runs in the page of a
// headless browser (backends/browser), which loads this file.

import { gpuBackend } from "../gpu/backend.ts";
import { WebGLDevice } from "./device.ts";

export const webgl = gpuBackend(
  "webgl",
  "WebGL 2 by way of tfjs's webgl backend, with generated shaders; float32, in browsers and, through one, in Node",
  () => WebGLDevice.open(),
);
