// Reads of textures without waiting for the device: the numbers go to a buffer, a fence says when they are there. Fences
// are asked in turns: a lost context rejects all that is pending, where tfjs would ask forever.

import type { FrondError } from "../../compiler/diagnostics/error.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Bindings } from "./bindings.ts";
import type { Context } from "./context.ts";
import { layersOf, panelsOf } from "./fold.ts";
import type { Sheet } from "./textures.ts";

interface Pending {
  readonly fence: WebGLSync;
  readonly buffer: WebGLBuffer;
  readonly values: Float32Array;
  readonly resolve: (values: Float32Array) => void;
  readonly reject: (error: Error) => void;
}

/** For so long a result is asked for without pause between other events, in ms; then by timers, which wait 4 ms. */
const EAGER = 3;
const TEXEL_BYTES = 16;

export class Reading {
  readonly #context: Context;
  readonly #bindings: Bindings;
  readonly #turns = new MessageChannel();
  #pending: Pending[] = [];
  #polling = false;
  #since = 0;

  constructor(context: Context, bindings: Bindings) {
    this.#context = context;
    this.#bindings = bindings;
    this.#turns.port1.onmessage = () => this.#poll();
  }

  /** The matrix may be freed right after the call. */
  read(sheet: Sheet): Promise<Float32Array> {
    const { gl } = this.#context;
    const values = new Float32Array(4 * sheet.rows * sheet.texels);
    if (sheet.room === null) return Promise.resolve(values);
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
    this.#fill(sheet);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    const lost = this.#context.lost();
    if (lost !== null || fence === null)
      return Promise.reject(lost ?? new InternalError("webgl", "no fence could be made"));
    return new Promise((resolve, reject) => {
      this.#pending.push({ fence, buffer, values, resolve, reject });
      this.#since = performance.now();
      if (this.#polling) return;
      this.#polling = true;
      this.#turns.port2.postMessage(null);
    });
  }

  /** Copies all numbers to the buffer that is bound, row by row. */
  #fill(sheet: Sheet): void {
    const { gl } = this.#context;
    const { texels } = sheet;
    const layers = layersOf(sheet);
    const panels = panelsOf(sheet);
    const lines = panels.reduce((total, panel) => total + panel.lines, 0);
    gl.bufferData(gl.PIXEL_PACK_BUFFER, lines * layers * texels * TEXEL_BYTES, gl.STREAM_READ);
    this.#bindings.attach(sheet.room!);
    // The rows of the other layers come between.
    gl.pixelStorei(gl.PACK_ROW_LENGTH, layers * texels);
    for (let layer = 0; layer < layers; layer++) {
      if (layers > 1) gl.readBuffer(gl.COLOR_ATTACHMENT0 + layer);
      for (const { x, first, lines: some } of panels) {
        const at = (first * layers + layer) * texels * TEXEL_BYTES;
        gl.readPixels(x, 0, texels, some, gl.RGBA, gl.FLOAT, at);
      }
    }
  }

  #poll(): void {
    const lost = this.#context.lost();
    if (lost !== null) this.#rejectAll(lost);
    while (this.#pending.length > 0 && this.#finish(this.#pending[0]!)) this.#pending.shift();
    this.#polling = this.#pending.length > 0;
    if (!this.#polling) return;
    if (performance.now() - this.#since < EAGER) this.#turns.port2.postMessage(null);
    else setTimeout(() => this.#poll());
  }

  /** Whether the read has come to an end. */
  #finish({ fence, buffer, values, resolve, reject }: Pending): boolean {
    const { gl } = this.#context;
    const status = gl.clientWaitSync(fence, 0, 0);
    if (status === gl.TIMEOUT_EXPIRED) return false;
    if (status === gl.WAIT_FAILED) {
      reject(this.#context.lost() ?? new InternalError("webgl", "a fence failed"));
    } else {
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
      gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, values);
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
      // What a context gives that was lost meanwhile is zeros.
      const lost = this.#context.lost();
      if (lost === null) resolve(values);
      else reject(lost);
    }
    gl.deleteSync(fence);
    gl.deleteBuffer(buffer);
    return true;
  }

  #rejectAll(error: FrondError): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const { reject } of pending) reject(error);
  }
}
