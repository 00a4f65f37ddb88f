// Opens WebGPU for Frond alone: a device of its own, and on it an instance of tfjs's webgpu backend, which pools the
// buffers. tfjs's own device for other people's programs is another one. What fails is known here: a device does not
// throw, it tells of errors later and then goes on with nonsense.

import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { InternalError } from "../../compiler/unreachable.ts";
import { DeviceLost } from "../losses.ts";
import { notLoaded } from "../misuse.ts";
import { findGpu, type Missing, noAdapter } from "./find.ts";

export interface Context {
  readonly device: GPUDevice;
  readonly backend: WebGPUBackend;
  /** For people: what computes. */
  readonly detail: string;
  readonly health: Health;
}

/** Whether all is well with a device. */
export class Health {
  /** Why it does not work any more. */
  problem: Error | null = null;
  readonly #device: GPUDevice;
  readonly #waiting = new Set<(problem: Error) => void>();

  constructor(device: GPUDevice) {
    this.#device = device;
    void device.lost.then(() => this.lose());
  }

  /** The first problem counts. Anything that is computed from then on is nonsense. */
  fail(problem: Error): void {
    if (this.problem !== null) return;
    this.problem = problem;
    for (const reject of this.#waiting) reject(problem);
    this.#waiting.clear();
    // Not at once: Dawn waits for ever where the call comes from one of its events.
    setTimeout(() => this.#device.destroy());
  }

  lose(): void {
    this.fail(new DeviceLost("webgpu"));
  }

  /** Settles as the promise does, but rejects as soon as the device fails: what it promised may never come. */
  async watch<T>(promise: Promise<T>): Promise<T> {
    if (this.problem !== null) throw this.problem;
    const own = { reject: (_: Error): void => {} };
    const failed = new Promise<never>((_, reject) => {
      own.reject = reject;
    });
    this.#waiting.add(own.reject);
    try {
      const value = await Promise.race([promise, failed]);
      // What was asked for may have become wrong meanwhile.
      if (this.problem !== null) throw this.problem;
      return value;
    } catch (error) {
      // A device that is lost may break its promises before it says so.
      if (this.problem === null)
        await Promise.race([this.#device.lost, new Promise(resolve => setTimeout(resolve, PATIENCE))]);
      throw this.problem ?? error;
    } finally {
      this.#waiting.delete(own.reject);
    }
  }
}

/** Milliseconds. */
const PATIENCE = 1000;

export async function openContext(): Promise<Context | Missing> {
  const gpu = await findGpu();
  if ("available" in gpu) return gpu;
  // Browsers may keep the processor for those who ask for it.
  const adapter =
    (await gpu.requestAdapter({ powerPreference: "high-performance" })) ??
    (await gpu.requestAdapter({ forceFallbackAdapter: true }));
  if (adapter === null) return noAdapter;
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ requiredLimits: limitsOf(adapter) });
  } catch (error) {
    return { ...noAdapter, reason: `the graphics adapter gives no device (${messageOf(error)})` };
  }
  const health = watched(device);
  try {
    const { env } = await import("@tensorflow/tfjs-core");
    const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
    const backend = undone(env().getFlags(), gpu, () => new WebGPUBackend(device, adapter.info));
    return { device, backend, detail: `tfjs-backend-webgpu, ${nameOf(adapter.info)}`, health };
  } catch (error) {
    device.destroy();
    return notLoaded(error, ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-webgpu"]);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : `${error}`);

/** A device has the least of everything unless asked for more. */
const wanted = ["maxBufferSize", "maxStorageBufferBindingSize", "maxStorageBuffersPerShaderStage"] as const;

const limitsOf = ({ limits }: GPUAdapter): Record<string, number> =>
  Object.fromEntries(wanted.map(name => [name, limits[name]]));

/** What browsers tell of the adapter: little, lest people are recognised by it. */
function nameOf({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  if (description !== "") return description;
  return [vendor, architecture, device].filter(part => part !== "").join(" ") || "an adapter without a name";
}

/**
 * Makes tfjs's backend and leaves no traces: it asks a flag, whose value is kept for everybody then, and it wants WebGPU
 * to be where pages have it; in Node it is there for the moment.
 */
function undone<T>(flags: Record<string, unknown>, gpu: GPU, make: () => T): T {
  const before = { ...flags };
  const navigator = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  const isThere = (globalThis.navigator as { gpu?: GPU } | undefined)?.gpu !== undefined;
  flags.WEBGPU_USE_PROFILE_TOOL = false;
  if (!isThere) Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
  try {
    return make();
  } finally {
    for (const name of Object.keys(flags)) delete flags[name];
    Object.assign(flags, before);
    if (!isThere && navigator !== undefined) Object.defineProperty(globalThis, "navigator", navigator);
    else if (!isThere) delete (globalThis as { navigator?: unknown }).navigator;
  }
}

function watched(device: GPUDevice): Health {
  const health = new Health(device);
  device.addEventListener("uncapturederror", event => {
    event.preventDefault();
    const { error } = event;
    // Where there is too little memory, a matrix is not where it should be: the device is of no use any more. (Node has
    // no name to ask `instanceof`.)
    if (error.constructor.name === "GPUOutOfMemoryError") health.lose();
    else health.fail(new InternalError("webgpu", error.message));
  });
  return health;
}
