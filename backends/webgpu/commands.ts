// Commands for the device, many in one submission: dispatches and copies, in the order in which they are given. Each
// dispatch has a slot of integers in one buffer, which is written when its batch is submitted: the queue writes it after
// the batch before has been computed.

import { type Block, usage } from "./buffers.ts";
import type { Context } from "./context.ts";
import type { Program, Programs } from "./programs.ts";
import { GROUP, INFINITE_BITS } from "./wgsl.ts";

/** Dispatches of a batch: enough to make submitting cheap, few enough for the device to begin early. */
const BATCH = 64;
/** Offsets into a buffer of integers are multiples of this many, whatever the device. */
const SLOT = 64;
const SLOT_BYTES = 4 * SLOT;
/** Bind groups that are kept: those of some long runs. */
const MOST_GROUPS = 4096;

export class Commands {
  readonly #context: Context;
  readonly #programs: Programs;
  readonly #integers = new Int32Array(BATCH * SLOT);
  readonly #integersBuffer: GPUBuffer;
  /** By the slots that a dispatch may see. */
  readonly #integerGroups = new Map<number, GPUBindGroup>();
  /** Bind groups by the numbers of their buffers. */
  readonly #groups = new Map<string, GPUBindGroup>();
  readonly #numbers = new WeakMap<GPUBuffer, number>();
  readonly #most: number;
  #buffers = 0;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #pipeline: GPUComputePipeline | null = null;
  /** Of `#integers`. */
  #used = 0;
  /** For people: how much has been asked of the device. */
  readonly counts = { dispatches: 0, copies: 0, submissions: 0, groups: 0 };

  constructor(context: Context, programs: Programs) {
    this.#context = context;
    this.#programs = programs;
    this.#most = context.device.limits.maxComputeWorkgroupsPerDimension;
    this.#integersBuffer = context.device.createBuffer({
      size: 4 * this.#integers.length,
      usage: usage.uniform | usage.copyTo,
    });
  }

  /**
   * @param inputs no empty ones.
   * @param others those of them that are not bound by themselves, one after the other.
   */
  dispatch(
    program: Program,
    inputs: readonly Block[],
    others: Block | null,
    integers: readonly number[],
    result: Block,
  ): void {
    const slots = Math.ceil(program.shape.integers / SLOT);
    if (this.#used + slots * SLOT > this.#integers.length) this.submit();
    const { rows, parts = 1 } = program.text;
    const invocations = (Math.ceil(result.rows / rows) * result.texels) / parts;
    const groups = Math.ceil(invocations / GROUP);
    const across = Math.min(groups, this.#most);
    const at = this.#used;
    this.#used += slots * SLOT;
    this.#write(at, [result.rows, result.texels, INFINITE_BITS, across * GROUP], program, inputs, integers);
    const read = others === null ? inputs : [...inputs.slice(0, program.shape.own), others];
    const pass = this.#passForDispatch();
    if (program.pipeline !== this.#pipeline) {
      this.#pipeline = program.pipeline;
      pass.setPipeline(program.pipeline);
    }
    pass.setBindGroup(0, this.#groupOf(program, read, result));
    pass.setBindGroup(1, this.#integerGroup(slots), [4 * at]);
    pass.dispatchWorkgroups(across, Math.ceil(groups / across));
    this.counts.dispatches++;
  }

  /** The integers of a dispatch, in the order of wgsl.ts. */
  #write(
    at: number,
    head: readonly number[],
    { shape }: Program,
    inputs: readonly Block[],
    integers: readonly number[],
  ): void {
    const all = this.#integers;
    let next = at;
    for (const integer of head) all[next++] = integer;
    for (const { texels } of inputs) all[next++] = texels;
    let begin = 0;
    for (let k = shape.own; k < inputs.length; k++) {
      all[next++] = begin;
      begin += inputs[k]!.rows * inputs[k]!.texels;
    }
    for (const integer of integers) all[next++] = integer;
  }

  /** The first bytes of a buffer to a place in another. */
  copy(from: GPUBuffer, to: GPUBuffer, at: number, bytes: number): void {
    this.#endPass();
    this.#encoderForAll().copyBufferToBuffer(from, 0, to, at, bytes);
    this.counts.copies++;
  }

  submit(): void {
    if (this.#encoder === null) return;
    this.#endPass();
    const { queue } = this.#context.device;
    if (this.#used > 0) queue.writeBuffer(this.#integersBuffer, 0, this.#integers, 0, this.#used);
    queue.submit([this.#encoder.finish()]);
    this.#encoder = null;
    this.#used = 0;
    this.counts.submissions++;
  }

  #encoderForAll(): GPUCommandEncoder {
    this.#encoder ??= this.#context.device.createCommandEncoder();
    return this.#encoder;
  }

  #passForDispatch(): GPUComputePassEncoder {
    this.#pass ??= this.#encoderForAll().beginComputePass();
    return this.#pass;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
    this.#pipeline = null;
  }

  #groupOf({ layout }: Program, read: readonly Block[], result: Block): GPUBindGroup {
    let key = `${this.#numberOf(result.buffer!)}`;
    for (const input of read) key += ` ${this.#numberOf(input.buffer!)}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    // Which of them come again nobody knows; all that come again soon are back soon.
    if (this.#groups.size === MOST_GROUPS) this.#groups.clear();
    const entries = [result, ...read].map(({ buffer }, binding) => ({
      binding,
      resource: { buffer: buffer! },
    }));
    const made = this.#context.device.createBindGroup({ layout, entries });
    this.#groups.set(key, made);
    this.counts.groups++;
    return made;
  }

  #numberOf(buffer: GPUBuffer): number {
    let number = this.#numbers.get(buffer);
    if (number === undefined) {
      number = this.#buffers++;
      this.#numbers.set(buffer, number);
    }
    return number;
  }

  #integerGroup(slots: number): GPUBindGroup {
    const known = this.#integerGroups.get(slots);
    if (known !== undefined) return known;
    const resource = { buffer: this.#integersBuffer, size: slots * SLOT_BYTES };
    const made = this.#context.device.createBindGroup({
      layout: this.#programs.integersLayout,
      entries: [{ binding: 0, resource }],
    });
    this.#integerGroups.set(slots, made);
    return made;
  }
}
