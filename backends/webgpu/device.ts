// The device of the gpu lowering on WebGPU. tfjs's backend pools the buffers; programs are run here: its own way of running
// submits every 15 dispatches, writes a buffer of uniforms for each and compiles a program anew for each shape.

import { InternalError } from "../../compiler/unreachable.ts";
import type { CompiledProgram, Device, Matrix, ProgramText } from "../gpu/device.ts";
import { Block, Buffers } from "./buffers.ts";
import { Commands } from "./commands.ts";
import { type Context, openContext } from "./context.ts";
import type { Missing } from "./find.ts";
import { Program, Programs } from "./programs.ts";
import { Reading } from "./reading.ts";
import { wgsl } from "./wgsl.ts";

/** Results of a draw stand side by side up to this width; one alone may be wider. */
const WIDEST = 2 ** 14;

export class WebGPUDevice implements Device {
  readonly dialect = wgsl;
  readonly takesParts = true;
  readonly inputs: number;
  readonly limits: { readonly texels: number; readonly total: number };
  /** For people: what computes. */
  readonly detail: string;
  readonly #context: Context;
  readonly #programs: Programs;
  readonly #commands: Commands;
  readonly #buffers: Buffers;
  readonly #reading: Reading;
  /** Stands in for empty inputs, which are never read. */
  readonly #nothing: Block;

  private constructor(context: Context) {
    this.#context = context;
    this.detail = context.detail;
    // One is for the result.
    this.inputs = context.device.limits.maxStorageBuffersPerShaderStage - 1;
    this.#programs = new Programs(context, this.inputs);
    this.#commands = new Commands(context, this.#programs);
    this.#buffers = new Buffers(context, () => this.#commands.submit());
    this.#reading = new Reading(context, this.#commands);
    this.limits = { texels: Math.min(WIDEST, this.#buffers.most), total: this.#buffers.most };
    this.#nothing = this.#buffers.acquire(1, 1);
  }

  /** A new device; or why there can be none. */
  static async open(): Promise<WebGPUDevice | Missing> {
    const context = await openContext();
    return "available" in context ? context : new WebGPUDevice(context);
  }

  /** Why the device does not work any more. */
  get lost(): Error | null {
    return this.#context.health.problem;
  }

  /** tfjs's side of it: its counts of buffers. */
  get backend(): Context["backend"] {
    return this.#context.backend;
  }

  /** For people: how much has been asked of the device. */
  get counts(): Commands["counts"] {
    return this.#commands.counts;
  }

  compile(text: ProgramText): Program {
    this.#refuseBroken();
    return this.#programs.compile(text);
  }

  run(
    program: CompiledProgram,
    inputs: readonly Matrix[],
    integers: readonly number[],
    rows: number,
    texels: number,
  ): Block {
    if (!(program instanceof Program)) throw new InternalError("webgpu", "another device's program");
    const { text } = program;
    if (inputs.length !== text.inputs || integers.length !== text.integers)
      throw new InternalError(
        "webgpu",
        `${inputs.length} inputs and ${integers.length} integers for ${text.body}`,
      );
    if (texels % (text.parts ?? 1) !== 0)
      throw new InternalError("webgpu", `${texels} texels in ${text.parts} parts`);
    this.#refuseBroken();
    if (rows === 0 || texels === 0) return this.#buffers.acquire(rows, texels);
    const blocks = inputs.map(input => (own(input).buffer === null ? this.#nothing : own(input)));
    const { own: bound } = program.shape;
    const others = bound < blocks.length ? this.#joined(blocks.slice(bound)) : null;
    try {
      const result = this.#buffers.acquire(rows, texels);
      this.#commands.dispatch(program, blocks, others, integers, result);
      return result;
    } finally {
      if (others !== null) this.#buffers.release(others);
    }
  }

  /** Matrices one after the other: for programs with more inputs than are bound. */
  #joined(blocks: readonly Block[]): Block {
    const texels = blocks.reduce((sum, block) => sum + block.rows * block.texels, 0);
    const all = this.#buffers.acquire(1, texels);
    let at = 0;
    for (const { buffer, bytes } of blocks) {
      this.#commands.copy(buffer!, all.buffer!, at, bytes);
      at += bytes;
    }
    return all;
  }

  allocate(rows: number, texels: number): Block {
    this.#refuseBroken();
    return this.#buffers.acquire(rows, texels);
  }

  upload(rows: number, texels: number, data: Float32Array): Block {
    if (data.length !== 4 * rows * texels)
      throw new InternalError("webgpu", `${data.length} numbers for ${rows} x ${texels} texels`);
    const block = this.allocate(rows, texels);
    if (block.buffer === null) return block;
    // The buffer may be one that was freed, and commands that read it may wait to be submitted.
    this.#commands.submit();
    this.#context.device.queue.writeBuffer(block.buffer, 0, data as Float32Array<ArrayBuffer>);
    return block;
  }

  copy(from: Matrix, to: Matrix, at: number): void {
    const [source, target] = [own(from), own(to)];
    this.#refuseBroken();
    if (source === target || source.texels !== target.texels || at < 0 || at + source.rows > target.rows)
      throw new InternalError(
        "webgpu",
        `${source.rows} rows cannot be copied to row ${at} of ${target.rows}`,
      );
    if (source.buffer === null || target.buffer === null) return;
    this.#commands.copy(source.buffer, target.buffer, at * source.texels * 16, source.bytes);
  }

  async read(matrix: Matrix): Promise<Float32Array> {
    this.#refuseBroken();
    return this.#reading.read(own(matrix));
  }

  free(matrix: Matrix): void {
    if (!(matrix instanceof Block)) throw new InternalError("webgpu", "another device's matrix");
    this.#buffers.release(matrix);
  }

  /** Gives everything back at once; the device is lost then. */
  close(): void {
    this.#context.health.lose();
  }

  #refuseBroken(): void {
    if (this.#context.health.problem !== null) throw this.#context.health.problem;
  }
}

function own(matrix: Matrix): Block {
  if (!(matrix instanceof Block) || matrix.freed)
    throw new InternalError("webgpu", "a matrix that was freed, or another device's");
  return matrix;
}
