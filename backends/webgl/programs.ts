// Programs on the device. A program is compiled for each form that its matrices come in (fold.ts), of which there is mostly
// one, when they first come so.

import { InternalError } from "../../compiler/unreachable.ts";
import type { CompiledProgram, ProgramText } from "../gpu/device.ts";
import type { Bindings, Room } from "./bindings.ts";
import type { Context } from "./context.ts";
import { type Fold, formOf, isFolded, PLAIN } from "./fold.ts";
import { shaderText, vertexText } from "./glsl.ts";
import type { Sheet } from "./textures.ts";

/** What a linked program is told by. */
interface Uniforms {
  readonly integers: WebGLUniformLocation | null;
  /** Of folded inputs. */
  readonly folds: readonly (WebGLUniformLocation | null)[];
  readonly result: WebGLUniformLocation | null;
  /** Inputs that the compiler has kept. */
  readonly used: readonly boolean[];
}

interface Variant {
  readonly program: WebGLProgram;
  readonly uniforms: Uniforms;
  /** What `u` holds on the device; null before the first draw. */
  known: Int32Array | null;
}

export class Program implements CompiledProgram {
  readonly text: ProgramText;
  /** By the form of its matrices. */
  readonly variants = new Map<number, Variant>();

  constructor(text: ProgramText) {
    this.text = text;
  }
}

export class Programs {
  readonly #context: Context;
  readonly #bindings: Bindings;
  readonly #known = new Map<string, Program>();
  /** Stands in for empty inputs, which are never read. */
  readonly #nothing: Room;
  #vertex: WebGLShader | null = null;

  constructor(context: Context, bindings: Bindings) {
    const { gl } = context;
    this.#context = context;
    this.#bindings = bindings;
    this.#nothing = { texture: gl.createTexture(), framebuffer: null };
    bindings.target(this.#nothing.texture);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, 1, 1);
  }

  compile(text: ProgramText): Program {
    const key = `${text.rows} ${text.inputs} ${text.integers} ${text.body}`;
    let program = this.#known.get(key);
    if (program === undefined) {
      program = new Program(text);
      this.#known.set(key, program);
    }
    return program;
  }

  /** Prepares a draw with these inputs and integers into a matrix that stands so; all but where it is drawn to. */
  use(program: Program, inputs: readonly Sheet[], integers: readonly number[], result: Fold): void {
    const form = formOf(inputs, result);
    const variant = program.variants.get(form) ?? this.#variant(program, form);
    const { uniforms } = variant;
    this.#bindings.program(variant.program);
    this.#setIntegers(variant, uniforms, integers);
    for (let k = 0; k < inputs.length; k++) {
      // Else the unit may hold the very texture that is drawn to, which is refused.
      if (uniforms.used[k]) this.#bindings.input(k, inputs[k]!.room ?? this.#nothing);
    }
    if (form !== PLAIN) this.#setFolds(uniforms, inputs, result);
  }

  #setIntegers(variant: Variant, { integers: place }: Uniforms, integers: readonly number[]): void {
    if (place === null) return;
    let changed = variant.known === null;
    variant.known ??= new Int32Array(integers.length);
    for (let k = 0; k < integers.length; k++) {
      if (variant.known[k] === integers[k]) continue;
      variant.known[k] = integers[k]!;
      changed = true;
    }
    if (changed) this.#context.gl.uniform1iv(place, variant.known);
  }

  #setFolds({ folds, result: place }: Uniforms, inputs: readonly Sheet[], result: Fold): void {
    const { gl } = this.#context;
    inputs.forEach(({ height, texels }, k) => {
      const at = folds[k] ?? null;
      if (at !== null) gl.uniform2i(at, height, texels);
    });
    if (place !== null) gl.uniform3i(place, result.height, result.texels, result.rows);
  }

  #variant(program: Program, form: number): Variant {
    const { gl } = this.#context;
    this.#vertex ??= this.#shader(gl.VERTEX_SHADER, vertexText);
    const fragment = this.#shader(gl.FRAGMENT_SHADER, shaderText(program.text, form));
    const linked = gl.createProgram();
    gl.attachShader(linked, this.#vertex);
    gl.attachShader(linked, fragment);
    gl.linkProgram(linked);
    const uniforms = this.#finish(program.text, form, linked, fragment);
    const variant: Variant = { program: linked, known: null, uniforms };
    program.variants.set(form, variant);
    return variant;
  }

  #shader(type: number, text: string): WebGLShader {
    const { gl } = this.#context;
    const shader = gl.createShader(type);
    // It is made of nothing but the context.
    if (shader === null) throw this.#context.lost() ?? new InternalError("webgl", "no shader could be made");
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    return shader;
  }

  /** Waits for the compiler, then asks for the places of uniforms and says which unit holds which input. */
  #finish(text: ProgramText, form: number, program: WebGLProgram, fragment: WebGLShader): Uniforms {
    const { gl } = this.#context;
    if (gl.getProgramParameter(program, gl.LINK_STATUS) !== true) {
      const log = `${gl.getShaderInfoLog(fragment) ?? ""}\n${gl.getProgramInfoLog(program) ?? ""}`;
      throw this.#context.lost() ?? new InternalError("webgl", `${log}\n${shaderText(text, form)}`);
    }
    gl.deleteShader(fragment);
    this.#bindings.program(program);
    const place = (name: string) => gl.getUniformLocation(program, name);
    const numbers = Array.from({ length: text.inputs }, (_, input) => input);
    const samplers = numbers.map(input => place(`frondInput${input}`));
    for (const [unit, sampler] of samplers.entries()) gl.uniform1i(sampler, unit);
    return {
      integers: place("u"),
      folds: numbers.map(input => (isFolded(form, input) ? place(`frondFold${input}`) : null)),
      result: place("frondFold"),
      used: samplers.map(sampler => sampler !== null),
    };
  }
}
