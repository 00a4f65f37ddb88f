// Matrices in buffers: their rows one after the other. The buffers come from tfjs's pool and go back there; what has not
// been used for long is taken out of it. A buffer that goes back may be read by commands that were not submitted yet:
// later commands come after those, but for what is written to the queue directly (device.ts: upload).

import { InternalError } from "../../compiler/unreachable.ts";
import type { Matrix } from "../gpu/device.ts";
import type { Context } from "./context.ts";

type Pool = Context["backend"]["bufferManager"];

/** GPUBufferUsage, which Node has not. */
export const usage = { mapRead: 1, copyFrom: 4, copyTo: 8, uniform: 64, storage: 128 } as const;
const MATRIX = usage.storage | usage.copyFrom | usage.copyTo;

const TEXEL_BYTES = 16;
/** The pool may always hold so much that is not in use. */
const SPARE_BYTES = 2 ** 26;
/** Acquisitions over which the most that was in use is remembered, once or twice. */
const WINDOW = 4096;

export class Block implements Matrix {
  readonly rows: number;
  readonly texels: number;
  /** Null where the matrix is empty, and once it is freed. */
  buffer: GPUBuffer | null;
  freed = false;

  constructor(rows: number, texels: number, buffer: GPUBuffer | null) {
    this.rows = rows;
    this.texels = texels;
    this.buffer = buffer;
  }

  get bytes(): number {
    return this.rows * this.texels * TEXEL_BYTES;
  }
}

export class Buffers {
  /** Texels of a matrix. */
  readonly most: number;
  readonly #pool: Pool;
  /** Before buffers are destroyed that commands may read. */
  readonly #submit: () => void;
  /** Sizes with free buffers and how many; those used last, last. */
  readonly #free = new Map<number, number>();
  #freeBytes = 0;
  #acquired = 0;
  /** The most bytes in use in this window and the one before. */
  #peaks: readonly [number, number] = [0, 0];

  constructor({ backend, device }: Context, submit: () => void) {
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    // Elements are numbered by signed integers.
    const bytes = Math.min(maxBufferSize, maxStorageBufferBindingSize, 2 ** 31 * TEXEL_BYTES);
    this.most = Math.floor(bytes / TEXEL_BYTES);
    this.#pool = backend.bufferManager;
    this.#submit = submit;
  }

  /** @throws RangeError where the matrix is too large: a device would only say so later. */
  acquire(rows: number, texels: number): Block {
    if (rows === 0 || texels === 0) return new Block(rows, texels, null);
    if (rows * texels > this.most)
      throw new RangeError(`a matrix of ${rows} x ${texels} texels does not fit the memory of a buffer`);
    const size = this.#sizeFor(rows * texels * TEXEL_BYTES);
    const free = this.#free.get(size) ?? 0;
    if (free > 0) {
      this.#free.set(size, free - 1);
      this.#freeBytes -= size;
    }
    const buffer = this.#pool.acquireBuffer(size, MATRIX) as GPUBuffer;
    if (++this.#acquired % WINDOW === 0) this.#peaks = [0, this.#peaks[0]];
    const used = this.#pool.numBytesUsed;
    if (used > this.#peaks[0]) this.#peaks = [used, this.#peaks[1]];
    return new Block(rows, texels, buffer);
  }

  release(block: Block): void {
    if (block.freed) throw new InternalError("webgpu", "the matrix was freed before");
    block.freed = true;
    const { buffer } = block;
    if (buffer === null) return;
    block.buffer = null;
    const { size } = buffer;
    this.#pool.releaseBuffer(buffer);
    const count = this.#free.get(size) ?? 0;
    // Put at the end.
    this.#free.delete(size);
    this.#free.set(size, count + 1);
    this.#freeBytes += size;
    const spare = Math.max(SPARE_BYTES, 2 * Math.max(...this.#peaks));
    if (this.#freeBytes > spare) this.#dropUntil(spare);
  }

  /** Destroys free buffers, the sizes that were not used for longest first: lengths of sequences may not come again. */
  #dropUntil(spare: number): void {
    this.#submit();
    for (const [size, count] of this.#free) {
      if (this.#freeBytes <= spare) break;
      const buffers = Array.from({ length: count }, () => this.#pool.acquireBuffer(size, MATRIX));
      for (const buffer of buffers) this.#pool.releaseBuffer(buffer, false);
      this.#free.delete(size);
      this.#freeBytes -= size * count;
    }
  }

  /** Sizes are rounded up, by an eighth at the most, so that buffers serve matrices of about their size. */
  #sizeFor(bytes: number): number {
    const step = Math.max(256, 2 ** (Math.floor(Math.log2(bytes)) - 3));
    return Math.min(Math.ceil(bytes / step) * step, this.most * TEXEL_BYTES);
  }
}
