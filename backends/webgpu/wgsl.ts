// WGSL: the dialect that bodies are written in, and the text of whole shaders around a body. Of the prelude
// (backends/gpu/prelude.ts) a shader holds the functions that its body uses, since compiling takes time.

import type { Dialect, ProgramText } from "../gpu/device.ts";
import { calledFrom, type Piece, type PieceTypes, preludeOf } from "../gpu/pieces.ts";
import type { PreludeFunction } from "../gpu/prelude.ts";
import { basic, single } from "./prelude/basic.ts";
import { bits, INFINITE, NOT_A_NUMBER } from "./prelude/bits.ts";
import { exponential } from "./prelude/exponential.ts";
import { logarithm } from "./prelude/logarithm.ts";
import { random } from "./prelude/random.ts";
import { trigonometry } from "./prelude/trigonometry.ts";

export const wgsl: Dialect = {
  define: (type, name, value) => `let ${name}: ${type} = ${value};`,
  variable: (type, name, value) => `var ${name}: ${type} = ${value};`,
  loop: (name, from, to) => `for (var ${name}: i32 = ${from}; ${name} < ${to}; ${name}++) {`,
  head: (name, parameters, result) =>
    `fn ${name}(${parameters.map(([type, parameter]) => `${parameter}: ${type}`).join(", ")}) -> ${result} {`,
  number: literal,
};

function literal(given: number): string {
  const value = Math.fround(given);
  if (Number.isNaN(value)) return NOT_A_NUMBER;
  if (!Number.isFinite(value)) return value > 0 ? INFINITE : `(-${INFINITE})`;
  if (Object.is(value, -0)) return "bitcast<f32>(0x80000000u)";
  // All digits: the largest float, rounded up, would be refused.
  const size = `${Math.abs(value)}`;
  const text = /[.e]/.test(size) ? size : `${size}.0`;
  return value < 0 ? `(-${text})` : text;
}

type Pieces = { readonly [F in PreludeFunction]: Piece };

/** Those of two widths; the type checker sees to it that each function of the prelude is there. */
const pieces = { ...bits, ...basic, ...exponential, ...logarithm, ...trigonometry } satisfies Pieces;

const types: PieceTypes = {
  1: { F: "f32", I: "i32", U: "u32", B: "bool" },
  4: { F: "vec4f", I: "vec4i", U: "vec4u", B: "vec4<bool>" },
};

/** Functions' texts by their names. */
const prelude = preludeOf(pieces, types, { ...random, ...single });

/**
 * How the inputs of a program are bound, where it has more than a device binds: the first ones each by itself, the others
 * in one buffer, one after the other.
 */
export interface Shape {
  readonly inputs: number;
  /** Inputs that are bound by themselves. */
  readonly own: number;
  /** How many integers a dispatch is given; where those of the body begin. */
  readonly integers: number;
  readonly first: number;
}

/**
 * The integers that a dispatch is given before those of the body: rows and texels of the result, the bits of infinity,
 * invocations in a row of the grid; then the texels in a row of each input, and where those that share a buffer begin.
 */
const HEAD = 4;

export const INFINITE_BITS = 0x7f800000;

/** @param most inputs that a device binds. */
export function shapeOf({ inputs, integers }: ProgramText, most: number): Shape {
  const own = inputs <= most ? inputs : most - 1;
  const first = HEAD + inputs + (inputs - own);
  return { inputs, own, first, integers: first + integers };
}

/** Invocations of a group: enough for the widest devices, few enough for small matrices to use several cores. */
export const GROUP = 64;

const integer = (index: number): string => `frondIntegers[${index >> 2}].${"xyzw"[index & 3]}`;

const binding = (index: number, name: string, access = "read"): string =>
  `@group(0) @binding(${index}) var<storage, ${access}> ${name}: array<vec4f>;`;

function reader(input: number, { inputs, own }: Shape): string {
  const at = `row * ${integer(HEAD + input)} + column`;
  const place =
    input < own
      ? `frondInput${input}[${at}]`
      : `frondOthers[${integer(HEAD + inputs + input - own)} + ${at}]`;
  return `fn read${input}(row: i32, column: i32) -> vec4f { return ${place}; }`;
}

/** An invocation computes a texel, one of each part of a row, or those of four rows, of which some may be behind the last. */
function main({ rows, parts = 1 }: ProgramText): string {
  const store = (k: number): string => {
    if (parts > 1) return `frondResult[(row * ${parts} + ${k}) * width + column] = all[${k}];`;
    return `if (row + ${k} < frondIntegers[0].x) { frondResult[(row + ${k}) * width + column] = all[${k}]; }`;
  };
  const stores = Array.from({ length: Math.max(rows, parts) }, (_, k) => store(k));
  const computed =
    stores.length === 1
      ? "frondResult[at] = texel(row, column);"
      : ["let all = texels(row, column);", ...stores].join("\n  ");
  return `@compute @workgroup_size(${GROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let at = i32(id.x) + i32(id.y) * frondIntegers[0].w;
  let width = frondIntegers[0].y${parts === 1 ? "" : ` / ${parts}`};
  let row = at / width${rows === 1 ? "" : ` * ${rows}`};
  let column = at % width;
  if (row >= frondIntegers[0].x) { return; }
  ${computed}
}`;
}

/** The whole shader of a program. */
export function shaderText(text: ProgramText, shape: Shape): string {
  const { inputs, own, first, integers } = shape;
  const body = text.body.replaceAll(/\bu\[(\d+)\]/g, (_, index) => integer(first + Number(index)));
  const numbers = Array.from({ length: inputs }, (_, input) => input);
  return [
    "alias mat4f = mat4x4f;",
    `@group(1) @binding(0) var<uniform> frondIntegers: array<vec4i, ${Math.ceil(integers / 4)}>;`,
    binding(0, "frondResult", "read_write"),
    ...numbers.slice(0, own).map(input => binding(input + 1, `frondInput${input}`)),
    ...(own < inputs ? [binding(own + 1, "frondOthers")] : []),
    ...numbers.map(input => reader(input, shape)),
    ...calledFrom(prelude, body).values(),
    body,
    main(text),
  ].join("\n");
}
