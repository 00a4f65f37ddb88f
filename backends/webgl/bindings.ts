// What the context has bound at the moment, so that a call is made only where that changes: a call costs as much as all
// the rest of a draw's script. Nobody else uses the context.

/** A texture that holds a matrix (textures.ts). */
export interface Room {
  readonly texture: WebGLTexture;
  /** Of one with four layers, its own: draws write to all of them. */
  readonly framebuffer: WebGLFramebuffer | null;
}

export class Bindings {
  readonly #gl: WebGL2RenderingContext;
  readonly #inputs: (WebGLTexture | null)[] = [];
  readonly #transferUnit: number;
  /** For all textures of one layer, in turns. */
  readonly #single: WebGLFramebuffer;
  #framebuffer: WebGLFramebuffer | null = null;
  #unit = -1;
  #program: WebGLProgram | null = null;
  #attached: WebGLTexture | null = null;
  #width = -1;
  #height = -1;

  /** @param inputs units for the inputs of programs; the next one is for transfers. */
  constructor(gl: WebGL2RenderingContext, inputs: number) {
    this.#gl = gl;
    this.#transferUnit = inputs;
    this.#single = gl.createFramebuffer();
    gl.bindVertexArray(null);
  }

  program(program: WebGLProgram): void {
    if (program === this.#program) return;
    this.#program = program;
    this.#gl.useProgram(program);
  }

  input(unit: number, { texture, framebuffer }: Room): void {
    if (texture === this.#inputs[unit]) return;
    this.#inputs[unit] = texture;
    this.#bind(unit, texture, framebuffer !== null);
  }

  /** For uploads and copies into the texture. */
  target(texture: WebGLTexture, layered = false): void {
    this.#bind(this.#transferUnit, texture, layered);
  }

  /** For draws into the texture, and for reads and copies from it. */
  attach({ texture, framebuffer }: Room): void {
    this.framebuffer(framebuffer ?? this.#single);
    if (framebuffer !== null || texture === this.#attached) return;
    this.#attached = texture;
    const gl = this.#gl;
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  }

  framebuffer(framebuffer: WebGLFramebuffer): void {
    if (framebuffer === this.#framebuffer) return;
    this.#framebuffer = framebuffer;
    this.#gl.bindFramebuffer(this.#gl.FRAMEBUFFER, framebuffer);
  }

  viewport(width: number, height: number): void {
    if (width === this.#width && height === this.#height) return;
    this.#width = width;
    this.#height = height;
    this.#gl.viewport(0, 0, width, height);
  }

  #bind(unit: number, texture: WebGLTexture, layered: boolean): void {
    const gl = this.#gl;
    if (unit !== this.#unit) {
      this.#unit = unit;
      gl.activeTexture(gl.TEXTURE0 + unit);
    }
    gl.bindTexture(layered ? gl.TEXTURE_2D_ARRAY : gl.TEXTURE_2D, texture);
  }
}

/** Lets draws write to the four layers of a texture, through the framebuffer that is bound. */
export function drawToLayers(gl: WebGL2RenderingContext, texture: WebGLTexture): void {
  const points = [0, 1, 2, 3].map(layer => gl.COLOR_ATTACHMENT0 + layer);
  for (const [layer, point] of points.entries())
    gl.framebufferTextureLayer(gl.FRAMEBUFFER, point, texture, 0, layer);
  gl.drawBuffers(points);
}
