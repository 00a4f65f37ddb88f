// Reads of matrices: the numbers go to a buffer that the host may see, which is waited for. A device that is lost rejects
// all that is pending.

import { type Block, usage } from "./buffers.ts";
import type { Commands } from "./commands.ts";
import type { Context } from "./context.ts";

/** GPUMapMode.READ, which Node has not. */
const READ = 1;
const STAGING = usage.mapRead | usage.copyTo;

export class Reading {
  readonly #context: Context;
  readonly #commands: Commands;

  constructor(context: Context, commands: Commands) {
    this.#context = context;
    this.#commands = commands;
  }

  /** The matrix may be freed right after the call. */
  async read({ buffer, bytes }: Block): Promise<Float32Array> {
    if (buffer === null) return new Float32Array(0);
    const { backend, health } = this.#context;
    const pool = backend.bufferManager;
    const staging = pool.acquireBuffer(buffer.size, STAGING) as GPUBuffer;
    this.#commands.copy(buffer, staging, 0, bytes);
    this.#commands.submit();
    await health.watch(staging.mapAsync(READ, 0, bytes));
    const values = new Float32Array(staging.getMappedRange(0, bytes).slice(0));
    staging.unmap();
    pool.releaseBuffer(staging, bytes <= MOST_KEPT);
    return values;
  }
}

/** Larger buffers are not kept for the next read: 1 MiB. */
const MOST_KEPT = 2 ** 20;
