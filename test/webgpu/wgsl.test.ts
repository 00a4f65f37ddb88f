// Shaders as text: what surrounds a body, and that bodies are not what the language refuses. No device is asked.

import { expect, test } from "vitest";
import type { ProgramText } from "../../backends/gpu/device.ts";
import { Emitter } from "../../backends/gpu/emit.ts";
import { shaderText, shapeOf, wgsl } from "../../backends/webgpu/wgsl.ts";

const textOf = (body: string, parts: Partial<ProgramText> = {}): ProgramText => ({
  rows: 1,
  inputs: 1,
  integers: 0,
  body,
  ...parts,
});
const shaderOf = (text: ProgramText, most = 8): string => shaderText(text, shapeOf(text, most));

test("names are never those of types", () => {
  for (const stem of ["i", "f", "u"]) {
    const emitter = new Emitter(wgsl, new Set(), new Set(), { fours: false, parts: false });
    const names = Array.from({ length: 200 }, () => emitter.name(stem));
    expect(names).not.toContain("i32");
    expect(names).not.toContain("f32");
    expect(names).not.toContain("u32");
    expect(new Set(names).size).toBe(200);
  }
});

test("a shader has the functions that its body needs, and no others", () => {
  const text = shaderOf(
    textOf("fn texel(row: i32, column: i32) -> vec4f { return tanh4(read0(row, column)); }"),
  );
  const functions = [...text.matchAll(/^fn (\w+)/gm)].map(([, name]) => name);
  expect(functions).toEqual(["read0", "scale4", "isNaN4", "tanh4", "texel", "main"]);
});

test("literals", () => {
  const numbers = [0, 1, -1, 0.5, 1e-30, -1e30, 2 ** 24, 3.4028234663852886e38, 0.1];
  const written = ["0.0", "1.0", "(-1.0)", "0.5", "1.0000000031710769e-30", "(-1.0000000150474662e+30)"];
  const more = ["16777216.0", "3.4028234663852886e+38", "0.10000000149011612"];
  expect(numbers.map(value => wgsl.number(value))).toEqual([...written, ...more]);
});

test("the body's integers come after the device's own", () => {
  const body = "fn texel(row: i32, column: i32) -> vec4f { return vec4f(f32(u[0] + u[1] + u[10])); }";
  const text = textOf(body, { inputs: 2, integers: 11 });
  const shape = shapeOf(text, 8);
  expect([shape.first, shape.integers]).toEqual([6, 17]);
  expect(shaderOf(text)).toContain(
    "vec4f(f32(frondIntegers[1].z + frondIntegers[1].w + frondIntegers[4].x))",
  );
  expect(shaderOf(text)).toContain("array<vec4i, 5>");
});

test("inputs that are too many share a buffer", () => {
  const text = textOf("fn texel(row: i32, column: i32) -> vec4f { return read4(row, column); }", {
    inputs: 5,
  });
  expect(shapeOf(text, 5)).toMatchObject({ own: 5, integers: 9 });
  expect(shapeOf(text, 4)).toMatchObject({ own: 3, integers: 11 });
  const bound = [...shaderOf(text, 4).matchAll(/@group\(0\) @binding\((\d)\) var<storage, (\w+)> (\w+)/g)];
  expect(bound.map(([, at, access, name]) => `${at} ${access} ${name}`)).toEqual([
    "0 read_write frondResult",
    "1 read frondInput0",
    "2 read frondInput1",
    "3 read frondInput2",
    "4 read frondOthers",
  ]);
});
