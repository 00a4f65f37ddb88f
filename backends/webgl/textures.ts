// Matrices in textures, a texel for each group of four numbers (fold.ts says where). The textures come from tfjs's pool
// and go back there; what has not been used for long is taken out of it.

import { InternalError } from "../../compiler/unreachable.ts";
import type { Matrix } from "../gpu/device.ts";
import { type Bindings, drawToLayers, type Room } from "./bindings.ts";
import type { Context } from "./context.ts";
import { type Fold, type Limits, layersOf } from "./fold.ts";

type Pool = ReturnType<Context["backend"]["getTextureManager"]>;
type Texture = ReturnType<Pool["acquireTexture"]>;

export class Sheet implements Matrix, Fold {
  readonly rows: number;
  readonly texels: number;
  readonly fours: boolean;
  readonly height: number;
  readonly panels: number;
  /** Null where the matrix is empty, and once it is freed. */
  room: Room | null;
  freed = false;

  constructor({ rows, texels, fours, height, panels }: Fold, room: Room | null) {
    this.rows = rows;
    this.texels = texels;
    this.fours = fours;
    this.height = height;
    this.panels = panels;
    this.room = room;
  }
}

/** tfjs's name for textures of float32 whatever its flags say (TextureUsage.UPLOAD). */
const FLOAT32 = 1;
/** Half a GiB: larger textures may fail by losing the context. */
const MOST_TEXELS = 2 ** 25;
/** From this on, it is asked whether a new texture has found room: 1 MiB. */
const LARGE = 2 ** 16;
/** The pool may always hold so much that is not in use. */
const SPARE_BYTES = 2 ** 26;
/** Acquisitions over which the most that was in use is remembered, once or twice. */
const WINDOW = 4096;

/** Shapes in tfjs's pool, by which it also counts bytes; see `shapeOf`. */
interface Shape {
  readonly size: [number, number];
  readonly fours: boolean;
}

export class Textures {
  readonly limits: Limits;
  readonly #context: Context;
  readonly #bindings: Bindings;
  readonly #pool: Pool;
  /** Shapes with free textures and how many, by `keyOf`; those used last, last. */
  readonly #free = new Map<number, { readonly shape: Shape; count: number }>();
  /** What is asked of tfjs at the moment. */
  #fours = false;
  #acquired = 0;
  /** The most bytes in use in this window and the one before. */
  #most: readonly [number, number] = [0, 0];

  constructor(context: Context, bindings: Bindings, edge: number) {
    this.#context = context;
    this.#bindings = bindings;
    this.#pool = context.backend.getTextureManager();
    this.limits = { texels: edge, total: Math.min(edge * edge, MOST_TEXELS) };
    // The one place where tfjs makes such textures, which would be of one layer.
    context.backend.gpgpu.createPackedMatrixTexture = (rows, columns) =>
      this.#fours ? this.#make(columns, rows / 4, 4) : this.#make(columns / 2, rows / 2, 1);
  }

  acquire(fold: Fold): Sheet {
    const { rows, texels } = fold;
    if (rows === 0 || texels === 0) return new Sheet(fold, null);
    const shape = shapeOf(fold);
    const free = this.#free.get(keyOf(shape));
    if (free !== undefined && free.count > 0) free.count--;
    const room = this.#take(shape);
    const used = this.#pool.numBytesAllocated - this.#pool.numBytesFree;
    if (++this.#acquired % WINDOW === 0) this.#most = [0, this.#most[0]];
    if (used > this.#most[0]) this.#most = [used, this.#most[1]];
    return new Sheet(fold, room);
  }

  release(sheet: Sheet): void {
    if (sheet.freed) throw new InternalError("webgl", "the matrix was freed before");
    sheet.freed = true;
    if (sheet.room === null) return;
    const shape = shapeOf(sheet);
    this.#giveBack(sheet.room, shape);
    sheet.room = null;
    const key = keyOf(shape);
    const count = this.#free.get(key)?.count ?? 0;
    // Put at the end.
    this.#free.delete(key);
    this.#free.set(key, { shape, count: count + 1 });
    const spare = Math.max(SPARE_BYTES, 2 * Math.max(...this.#most));
    if (this.#pool.numBytesFree > spare) this.#dropUntil(spare);
  }

  /** Deletes free textures, the shapes that were not used for longest first: lengths of sequences may not come again. */
  #dropUntil(spare: number): void {
    const { flags } = this.#context;
    const threshold = flags.getNumber("WEBGL_DELETE_TEXTURE_THRESHOLD");
    // With this flag tfjs deletes what it is given back.
    flags.set("WEBGL_DELETE_TEXTURE_THRESHOLD", 0);
    for (const [key, { shape, count }] of this.#free) {
      if (this.#pool.numBytesFree <= spare) break;
      const rooms = Array.from({ length: count }, () => this.#take(shape));
      for (const room of rooms) this.#giveBack(room, shape);
      this.#free.delete(key);
    }
    flags.set("WEBGL_DELETE_TEXTURE_THRESHOLD", threshold);
  }

  #take({ size, fours }: Shape): Room {
    this.#fours = fours;
    return this.#pool.acquireTexture(size, FLOAT32, !fours) as Texture & Room;
  }

  #giveBack(room: Room, { size, fours }: Shape): void {
    this.#pool.releaseTexture(room as Texture & Room, size, FLOAT32, !fours);
  }

  #make(width: number, height: number, layers: 1 | 4): Texture & Room {
    const { gl } = this.#context;
    const kind = layers === 4 ? gl.TEXTURE_2D_ARRAY : gl.TEXTURE_2D;
    const texture = gl.createTexture();
    this.#bindings.target(texture, layers === 4);
    gl.texParameteri(kind, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(kind, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    if (layers === 4) gl.texStorage3D(kind, 1, gl.RGBA32F, width, height, layers);
    else gl.texStorage2D(kind, 1, gl.RGBA32F, width, height);
    if (width * height * layers >= LARGE && gl.getError() === gl.OUT_OF_MEMORY) {
      gl.deleteTexture(texture);
      throw new RangeError(`the device has no memory for ${width} x ${height * layers} texels`);
    }
    const framebuffer = layers === 4 ? this.#framebufferOf(texture) : null;
    return { texture, texShape: [height, width], framebuffer };
  }

  #framebufferOf(texture: WebGLTexture): WebGLFramebuffer {
    const { gl } = this.#context;
    const framebuffer = gl.createFramebuffer();
    this.#bindings.framebuffer(framebuffer);
    drawToLayers(gl, texture);
    return framebuffer;
  }
}

/** In tfjs's words: where two rows and columns of numbers are a texel ("packed"), or one of each. */
function shapeOf(fold: Fold): Shape {
  const { fours, height, panels, texels } = fold;
  const [lines, width] = [layersOf(fold) * height, panels * texels];
  return { fours, size: fours ? [lines, width] : [2 * lines, 2 * width] };
}

const keyOf = ({ size: [height, width], fours }: Shape): number =>
  2 * (height * 2 ** 20 + width) + Number(fours);
