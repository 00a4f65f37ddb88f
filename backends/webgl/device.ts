// The device of the gpu lowering on WebGL 2. tfjs's backend opens the context's resources and pools the textures; programs
// are run here: its own way of running takes ten times as long and compiles a program anew for each shape.

import { InternalError } from "../../compiler/unreachable.ts";
import type { Availability } from "../api.ts";
import type { CompiledProgram, Device, Matrix, ProgramText } from "../gpu/device.ts";
import type { DeviceLost } from "../losses.ts";
import { Bindings } from "./bindings.ts";
import { type Context, openContext } from "./context.ts";
import { fold, type Limits, panelsOf } from "./fold.ts";
import { glsl } from "./glsl.ts";
import { Program, Programs } from "./programs.ts";
import { Reading } from "./reading.ts";
import { Sheet, Textures } from "./textures.ts";

export interface DeviceOptions {
  /** The most rows and texels of a texture, if less than the device's: tests fold small matrices. */
  readonly edge?: number;
}

/** More are allowed in some places, where they fail (tfjs keeps to this as well). */
const MOST_INPUTS = 16;

export class WebGLDevice implements Device {
  readonly dialect = glsl;
  /** An invocation writes one place of all layers. */
  readonly takesParts = false;
  readonly inputs: number;
  readonly limits: Limits;
  /** For people: what draws. */
  readonly detail: string;
  readonly #context: Context;
  readonly #bindings: Bindings;
  readonly #textures: Textures;
  readonly #programs: Programs;
  readonly #reading: Reading;

  private constructor(context: Context, { edge = Infinity }: DeviceOptions) {
    const { gl, detail } = context;
    const [width, height]: Int32Array = gl.getParameter(gl.MAX_VIEWPORT_DIMS);
    const largest = Math.min(gl.getParameter(gl.MAX_TEXTURE_SIZE), width!, height!, edge);
    this.inputs = Math.min(gl.getParameter(gl.MAX_TEXTURE_IMAGE_UNITS), MOST_INPUTS);
    this.detail = detail;
    this.#context = context;
    this.#bindings = new Bindings(gl, this.inputs);
    this.#textures = new Textures(context, this.#bindings, largest);
    this.limits = this.#textures.limits;
    this.#programs = new Programs(context, this.#bindings);
    this.#reading = new Reading(context, this.#bindings);
  }

  /** A new device on a new canvas; or why there can be none. */
  static async open(
    options: DeviceOptions = {},
  ): Promise<WebGLDevice | Extract<Availability, { available: false }>> {
    const context = await openContext();
    return "available" in context ? context : new WebGLDevice(context, options);
  }

  /** Why the device does not work any more: the browser has taken it away. */
  get lost(): DeviceLost | null {
    return this.#context.lost();
  }

  /** tfjs's side of it: its counts of textures. */
  get backend(): Context["backend"] {
    return this.#context.backend;
  }

  compile(text: ProgramText): Program {
    this.#refuseLost();
    if (text.inputs > this.inputs) throw new InternalError("webgl", `a program has ${text.inputs} inputs`);
    return this.#programs.compile(text);
  }

  run(
    program: CompiledProgram,
    inputs: readonly Matrix[],
    integers: readonly number[],
    rows: number,
    texels: number,
  ): Sheet {
    if (!(program instanceof Program)) throw new InternalError("webgl", "another device's program");
    const { text } = program;
    if (inputs.length !== text.inputs || integers.length !== text.integers)
      throw new InternalError(
        "webgl",
        `${inputs.length} inputs and ${integers.length} integers for ${text.body}`,
      );
    const place = fold(this.limits, rows, texels, text.rows === 4);
    const sheets = inputs as readonly Sheet[];
    for (let k = 0; k < sheets.length; k++) own(sheets[k]!);
    if (rows === 0 || texels === 0) return this.#textures.acquire(place);
    this.#refuseLost();
    this.#programs.use(program, sheets, integers, place);
    const result = this.#textures.acquire(place);
    this.#bindings.attach(result.room!);
    this.#bindings.viewport(place.panels * texels, place.height);
    const { gl } = this.#context;
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    return result;
  }

  /** @param block rows that are copied at once: in one piece, from multiples of it on. */
  allocate(rows: number, texels: number, block = 1): Sheet {
    this.#refuseLost();
    return this.#textures.acquire(fold(this.limits, rows, texels, false, block));
  }

  upload(rows: number, texels: number, data: Float32Array): Sheet {
    if (data.length !== 4 * rows * texels)
      throw new InternalError("webgl", `${data.length} numbers for ${rows} x ${texels} texels`);
    const sheet = this.allocate(rows, texels);
    if (sheet.room === null) return sheet;
    const { gl } = this.#context;
    this.#bindings.target(sheet.room.texture);
    for (const { x, first, lines } of panelsOf(sheet)) {
      const from = 4 * first * texels;
      gl.texSubImage2D(gl.TEXTURE_2D, 0, x, 0, texels, lines, gl.RGBA, gl.FLOAT, data, from);
    }
    return sheet;
  }

  copy(from: Matrix, to: Matrix, at: number): void {
    const [source, target] = [own(from), own(to)];
    this.#refuseLost();
    if (source.fours || target.fours) throw new InternalError("webgl", "rows in fours cannot be copied");
    if (source === target || source.texels !== target.texels || at < 0 || at + source.rows > target.rows)
      throw new InternalError("webgl", `${source.rows} rows cannot be copied to row ${at} of ${target.rows}`);
    if (source.room === null || target.room === null) return;
    const { gl } = this.#context;
    const { texels } = source;
    this.#bindings.attach(source.room);
    this.#bindings.target(target.room.texture);
    // Pieces that stand in one panel in both.
    for (let row = 0; row < source.rows; ) {
      const [y, panel] = [row % source.height, Math.floor(row / source.height)];
      const [toY, toPanel] = [(at + row) % target.height, Math.floor((at + row) / target.height)];
      const some = Math.min(source.rows - row, source.height - y, target.height - toY);
      gl.copyTexSubImage2D(gl.TEXTURE_2D, 0, toPanel * texels, toY, panel * texels, y, texels, some);
      row += some;
    }
  }

  async read(matrix: Matrix): Promise<Float32Array> {
    this.#refuseLost();
    return this.#reading.read(own(matrix));
  }

  free(matrix: Matrix): void {
    if (!(matrix instanceof Sheet)) throw new InternalError("webgl", "another device's matrix");
    this.#textures.release(matrix);
  }

  /** Gives everything back at once; the device is lost then. */
  close(): void {
    this.#context.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  #refuseLost(): void {
    const lost = this.#context.lost();
    if (lost !== null) throw lost;
  }
}

function own(matrix: Matrix): Sheet {
  if (!(matrix instanceof Sheet) || matrix.freed)
    throw new InternalError("webgl", "a matrix that was freed, or another device's");
  return matrix;
}
