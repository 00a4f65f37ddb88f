// What a step asks of the graphics card and of the page's own thread. Draws are counted at the browser's interfaces, the
// same for whoever calls them; they are watched for the counted step only, so that nothing timed pays for it.

import { median } from "./timer.ts";

/** Of one step. */
export interface Cost {
  /** Draw calls of WebGL, or dispatches of WebGPU. */
  readonly draws: number;
  /** From texture to texture, or from buffer to buffer. */
  readonly copies: number;
  /** Milliseconds from the call until the page's thread waits for the device. */
  readonly script: number;
}

const watched: Readonly<Record<string, Readonly<Record<string, "draws" | "copies">>>> = {
  WebGL2RenderingContext: {
    drawArrays: "draws",
    drawElements: "draws",
    drawArraysInstanced: "draws",
    drawElementsInstanced: "draws",
    copyTexSubImage2D: "copies",
    copyTexSubImage3D: "copies",
    copyTexImage2D: "copies",
  },
  GPUComputePassEncoder: { dispatchWorkgroups: "draws", dispatchWorkgroupsIndirect: "draws" },
  GPUCommandEncoder: { copyBufferToBuffer: "copies" },
};

/** Steps whose script time is taken. */
const steps = 7;

/** One step is counted; those after it say how long the script takes, unless one takes more than `budget` milliseconds. */
export async function meter(run: () => unknown, budget: number): Promise<Cost> {
  const start = performance.now();
  const counts = { draws: 0, copies: 0 };
  const restore = watch(counts);
  const script: number[] = [];
  let counted: number;
  try {
    counted = await scriptTime(run);
  } finally {
    restore();
  }
  const isLong = performance.now() - start > budget;
  while (!isLong && script.length < steps) script.push(await scriptTime(run));
  return { ...counts, script: script.length === 0 ? counted : median(script) };
}

/** Until the thread has nothing more to do for the step: the next message comes after all that awaits no device. */
async function scriptTime(run: () => unknown): Promise<number> {
  const { port1, port2 } = new MessageChannel();
  const start = performance.now();
  const idle = new Promise<number>(resolve => {
    port1.onmessage = () => resolve(performance.now() - start);
  });
  port2.postMessage(null);
  try {
    await run();
    return await idle;
  } finally {
    port1.close();
  }
}

type Classes = Readonly<Record<string, { readonly prototype: object } | undefined>>;

/** Counts calls until what this returns is called. */
function watch(counts: Record<"draws" | "copies", number>): () => void {
  const undo: (() => void)[] = [];
  for (const [name, methods] of Object.entries(watched)) {
    const prototype = (globalThis as unknown as Classes)[name]?.prototype;
    for (const [method, kind] of Object.entries(methods)) {
      const before = prototype && Object.getOwnPropertyDescriptor(prototype, method);
      if (before === undefined) continue;
      const call = before.value as (...given: unknown[]) => unknown;
      const value = function (this: unknown, ...given: unknown[]): unknown {
        counts[kind] += 1;
        return call.apply(this, given);
      };
      Object.defineProperty(prototype, method, { ...before, value });
      undo.push(() => Object.defineProperty(prototype!, method, before));
    }
  }
  return () => {
    for (const back of undo) back();
  };
}
