// Programs on the device: a pipeline each. All pipelines with as many bindings have the same layout, so that the same bind
// groups serve them: group 0 holds the result and the inputs, group 1 the integers (commands.ts).

import type { CompiledProgram, ProgramText } from "../gpu/device.ts";
import type { Context } from "./context.ts";
import { type Shape, shaderText, shapeOf } from "./wgsl.ts";

export class Program implements CompiledProgram {
  readonly text: ProgramText;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly shape: Shape;

  constructor(text: ProgramText, shape: Shape, pipeline: GPUComputePipeline, layout: GPUBindGroupLayout) {
    this.text = text;
    this.shape = shape;
    this.pipeline = pipeline;
    this.layout = layout;
  }
}

/** GPUShaderStage, which Node has not. */
const COMPUTE = 4;

export class Programs {
  readonly #context: Context;
  /** Inputs that the device binds. */
  readonly #most: number;
  readonly #known = new Map<string, Program>();
  /** By the number of buffers that are read. */
  readonly #layouts = new Map<number, readonly [GPUBindGroupLayout, GPUPipelineLayout]>();
  readonly integersLayout: GPUBindGroupLayout;

  constructor(context: Context, most: number) {
    this.#context = context;
    this.#most = most;
    this.integersLayout = context.device.createBindGroupLayout({
      entries: [{ binding: 0, visibility: COMPUTE, buffer: { type: "uniform", hasDynamicOffset: true } }],
    });
  }

  compile(text: ProgramText): Program {
    const key = `${text.rows} ${text.parts ?? 1} ${text.inputs} ${text.integers} ${text.body}`;
    let program = this.#known.get(key);
    if (program === undefined) {
      program = this.#make(text);
      this.#known.set(key, program);
    }
    return program;
  }

  #make(text: ProgramText): Program {
    const { device } = this.#context;
    const shape = shapeOf(text, this.#most);
    const [layout, pipelineLayout] = this.#layoutFor(Math.min(text.inputs, this.#most));
    // A mistake in the text is told as a problem of the device's, by way of its event, with the line where it is.
    const module = device.createShaderModule({ code: shaderText(text, shape) });
    const compute = { module, entryPoint: "main" };
    const pipeline = device.createComputePipeline({ layout: pipelineLayout, compute });
    return new Program(text, shape, pipeline, layout);
  }

  #layoutFor(inputs: number): readonly [GPUBindGroupLayout, GPUPipelineLayout] {
    const known = this.#layouts.get(inputs);
    if (known !== undefined) return known;
    const { device } = this.#context;
    const layout = device.createBindGroupLayout({
      entries: Array.from({ length: inputs + 1 }, (_, binding) => ({
        binding,
        visibility: COMPUTE,
        buffer: { type: binding === 0 ? "storage" : "read-only-storage" },
      })),
    });
    const both = [
      layout,
      device.createPipelineLayout({ bindGroupLayouts: [layout, this.integersLayout] }),
    ] as const;
    this.#layouts.set(inputs, both);
    return both;
  }
}
