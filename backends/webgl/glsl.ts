// GLSL ES 3.00: the dialect that bodies are written in, and the text of whole shaders around a body. Of the prelude
// (backends/gpu/prelude.ts) a shader holds the functions that its body uses, since compiling takes time.

import type { Dialect, ProgramText } from "../gpu/device.ts";
import { calledFrom, type Piece, type PieceTypes, preludeOf } from "../gpu/pieces.ts";
import type { PreludeFunction } from "../gpu/prelude.ts";
import { isFolded, isInFours, isResultFolded } from "./fold.ts";
import { basic, single } from "./prelude/basic.ts";
import { bits, INFINITE, NOT_A_NUMBER } from "./prelude/bits.ts";
import { exponential } from "./prelude/exponential.ts";
import { logarithm } from "./prelude/logarithm.ts";
import { random } from "./prelude/random.ts";
import { trigonometry } from "./prelude/trigonometry.ts";

export const glsl: Dialect = {
  define: (type, name, value) => `${type} ${name} = ${value};`,
  variable: (type, name, value) => `${type} ${name} = ${value};`,
  loop: (name, from, to) => `for (int ${name} = ${from}; ${name} < ${to}; ${name}++) {`,
  head: (name, parameters, result) =>
    `${result} ${name}(${parameters.map(([type, parameter]) => `${type} ${parameter}`).join(", ")}) {`,
  number: literal,
};

function literal(given: number): string {
  const value = Math.fround(given);
  if (Number.isNaN(value)) return NOT_A_NUMBER;
  if (!Number.isFinite(value)) return value > 0 ? INFINITE : `(-${INFINITE})`;
  // Nine digits tell all floats apart.
  const short = `${Number(value.toPrecision(9))}`;
  const text = /[.e]/.test(short) ? short : `${short}.0`;
  return value < 0 || Object.is(value, -0) ? `(-${text.replace(/^-/, "")})` : text;
}

type Pieces = { readonly [F in PreludeFunction]: Piece };

/** Those of two widths; the type checker sees to it that each function of the prelude is there. */
const pieces = { ...bits, ...basic, ...exponential, ...logarithm, ...trigonometry } satisfies Pieces;

const types: PieceTypes = {
  1: { F: "float", I: "int", U: "uint", B: "bool" },
  4: { F: "vec4", I: "ivec4", U: "uvec4", B: "bvec4" },
};

/** Functions' texts by their names. */
const prelude = preludeOf(pieces, types, { ...random, ...single });

const head = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp sampler2DArray;
#define f32 float
#define i32 int
#define vec4f vec4
#define mat4f mat4`;

/** `readK`; `frondFoldK` is the height and width of a panel. */
function reader(input: number, form: number): string {
  const [folded, fours] = [isFolded(form, input), isInFours(form, input)];
  const [sampler, size] = [`frondInput${input}`, `frondFold${input}`];
  const line = fours ? "(row >> 2)" : "row";
  const place = folded ? `column + ${line} / ${size}.x * ${size}.y, ${line} % ${size}.x` : `column, ${line}`;
  return [
    `uniform ${fours ? "sampler2DArray" : "sampler2D"} ${sampler};`,
    ...(folded ? [`uniform ivec2 ${size};`] : []),
    `vec4 read${input}(int row, int column) {`,
    `  return texelFetch(${sampler}, ${fours ? `ivec3(${place}, row & 3)` : `ivec2(${place})`}, 0);`,
    "}",
  ].join("\n");
}

/** What is drawn at a place: a texel; or those of four rows, to a layer each. */
function outputs(rows: 1 | 4): { readonly declared: string; readonly assigned: string } {
  if (rows === 1) return { declared: "out vec4 frondResult;", assigned: "frondResult = texel(row, column);" };
  const layers = [0, 1, 2, 3];
  return {
    declared: layers.map(k => `layout(location = ${k}) out vec4 frondResult${k};`).join("\n"),
    assigned: `mat4 all = texels(row * 4, column); ${layers.map(k => `frondResult${k} = all[${k}];`).join(" ")}`,
  };
}

function main({ rows }: ProgramText, folded: boolean): string {
  const { declared, assigned } = outputs(rows);
  const at = "int row = int(gl_FragCoord.y), column = int(gl_FragCoord.x);";
  if (!folded) return `${declared}\nvoid main() { ${at} ${assigned} }`;
  // Height and width of a panel, and all rows: the last panel may have some to spare.
  return `${declared}
uniform ivec3 frondFold;
void main() {
  ${at}
  row += column / frondFold.y * frondFold.x;
  column %= frondFold.y;
  if (row * ${rows} < frondFold.z) { ${assigned} }
}`;
}

/** The fragment shader of a program whose matrices stand in this form. */
export function shaderText(text: ProgramText, form: number): string {
  const { inputs, integers, body } = text;
  return [
    head,
    ...(integers > 0 ? [`uniform int u[${integers}];`] : []),
    ...Array.from({ length: inputs }, (_, input) => reader(input, form)),
    ...calledFrom(prelude, body).values(),
    body,
    main(text, isResultFolded(form, inputs)),
  ].join("\n");
}

/** One triangle that covers everything, without any buffers. */
export const vertexText = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = vec4(corner * 4.0 - 1.0, 0.0, 1.0);
}`;
