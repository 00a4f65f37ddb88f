// How WebGPU is found, with stand-ins for what pages and Node have; and Node's own, where the package webgpu is installed
// and the machine has something that it computes on.

import { createRequire } from "node:module";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WebGPUDevice } from "../../backends/webgpu/device.ts";
import { webgpu } from "../../backends/webgpu/index.ts";
import { compileNamed, environmentOf } from "../harness/models.ts";
import { onBackend } from "../harness/training.ts";
import { skipped } from "./unavailable.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

function withAdapter(adapter: unknown): void {
  vi.stubGlobal("navigator", { gpu: { requestAdapter: async () => adapter } });
}

test("no adapter", async () => {
  withAdapter(null);
  expect(await WebGPUDevice.open()).toMatchObject({
    available: false,
    reason: "there is no graphics adapter that WebGPU can use",
    remedy: expect.stringContaining("use the backend wasm"),
  });
});

test("an adapter that gives no device", async () => {
  const asked: unknown[] = [];
  const limits = { maxBufferSize: 1, maxStorageBufferBindingSize: 2, maxStorageBuffersPerShaderStage: 3 };
  withAdapter({
    limits,
    requestDevice: async (descriptor: unknown) => {
      asked.push(descriptor);
      throw new Error("it is in use");
    },
  });
  const reason = "the graphics adapter gives no device (it is in use)";
  expect(await WebGPUDevice.open()).toMatchObject({ available: false, reason });
  expect(asked).toEqual([{ requiredLimits: limits }]);
});

test("a page that is not secure, and one without WebGPU", async () => {
  vi.stubGlobal("process", undefined);
  vi.stubGlobal("isSecureContext", false);
  const insecure = await WebGPUDevice.open();
  vi.stubGlobal("isSecureContext", true);
  const without = await WebGPUDevice.open();
  vi.unstubAllGlobals();
  expect(insecure).toMatchObject({ available: false, reason: expect.stringContaining("https") });
  expect(without).toMatchObject({ available: false, reason: "there is no WebGPU here" });
});

function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve("webgpu");
    return true;
  } catch {
    return false;
  }
}

const found = await webgpu.probe();
describe("in Node", () => {
  if (!isInstalled()) {
    test("without the package", () => {
      expect(found).toEqual({
        available: false,
        reason: "the package webgpu is not installed",
        remedy: "npm install webgpu, or use the backend wasm",
      });
    });
    test("what is compiled is refused with the same", async () => {
      const compiled = webgpu.compile(compileNamed("lstm").infer());
      await expect(compiled).rejects.toThrow("the package webgpu is not installed");
    });
  }
  if (!found.available) {
    skipped(`in Node: ${found.reason}`);
    return;
  }
  test("it computes, and leaves no traces in the globals", async () => {
    expect((globalThis as { navigator?: { gpu?: unknown } }).navigator?.gpu).toBeUndefined();
    const program = compileNamed("lstm").infer();
    const outputs = await onBackend(webgpu, program, environmentOf(program, {}));
    expect(outputs.size).toBe(program.results.length);
  });
  test("a lost device rejects, and the next compilation opens another", async () => {
    const device = await WebGPUDevice.open();
    if ("available" in device) throw new Error(device.reason);
    const pending = device.read(device.upload(1, 1, new Float32Array(4)));
    device.close();
    await expect(pending).rejects.toThrow("F0915");
    expect((await webgpu.probe()).available).toBe(true);
  });
});
