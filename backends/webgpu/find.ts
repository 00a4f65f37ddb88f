// Where WebGPU is: pages and workers have it as `navigator.gpu`; Node by way of the package webgpu, which is Dawn, the
// WebGPU of Chromium. The package is loaded here and only when it is wanted.

import type { Availability } from "../api.ts";

export type Missing = Extract<Availability, { available: false }>;

/** What of the package is used. */
interface Dawn {
  create(options: readonly string[]): GPU;
}

const otherBackend = "use the backend wasm";
export const noAdapter: Missing = {
  available: false,
  reason: "there is no graphics adapter that WebGPU can use",
  remedy: `switch on hardware acceleration in the browser's settings, or ${otherBackend}`,
};

const packageName: string = "webgpu";
/** Kept: it must not be collected as long as there may be devices of it. */
let dawn: GPU | null = null;

export async function findGpu(): Promise<GPU | Missing> {
  const here = (globalThis as { readonly navigator?: { readonly gpu?: GPU } }).navigator?.gpu;
  if (here !== undefined) return here;
  if (typeof process === "object" && typeof process.versions?.node === "string") return findDawn();
  if (globalThis.isSecureContext === false) {
    const reason = "a page has WebGPU only where it comes over https or from localhost";
    return { available: false, reason, remedy: `serve it so, or ${otherBackend}` };
  }
  return {
    available: false,
    reason: "there is no WebGPU here",
    remedy: `try Chrome or Edge, or ${otherBackend}`,
  };
}

async function findDawn(): Promise<GPU | Missing> {
  if (dawn !== null) return dawn;
  try {
    const { create } = (await import(packageName)) as Dawn;
    dawn = create([]);
    return dawn;
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    // In Node's words and those of bundlers.
    const isMissing = /ERR_MODULE_NOT_FOUND|Cannot find (package|module)|Could not resolve/.test(
      code + message,
    );
    const reason = isMissing
      ? "the package webgpu is not installed"
      : `the package webgpu cannot be loaded (${message})`;
    return { available: false, reason, remedy: `npm install webgpu, or ${otherBackend}` };
  }
}
