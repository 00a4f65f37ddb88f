// Programs that compute element by element, and loops over what is reduced, padding left out.

import type { AxisId, NodeType } from "../../compiler/graph/graph.ts";
import { type Cell, lastOf } from "./cells.ts";
import type { Emitter, Env } from "./emit.ts";
import { outerIndices } from "./features.ts";

export const texelParameters = [
  ["i32", "row"],
  ["i32", "column"],
] as const;
/** `at`: the number of an element in its row. */
export const elementParameters = [
  ["i32", "row"],
  ["i32", "at"],
] as const;

/** A program that computes a value number by number; `element` gives one, at some features. */
export function writeElements(
  emitter: Emitter,
  { rows }: Cell,
  shape: readonly number[],
  element: (env: Env, features: readonly string[]) => string,
): void {
  emitter.function("element", elementParameters, "f32", () => {
    const { env, outer } = emitter.rowEnv("row", rows);
    const features = outerIndices(emitter, shape, outer);
    if (shape.length > 0) features.push("at");
    return element(env, features);
  });
  emitter.function("texel", texelParameters, "vec4f", () => {
    if (lastOf(shape) === 1) return "vec4f(element(row, 0), 0.0, 0.0, 0.0)";
    const at = emitter.let("i32", "column * 4", "c");
    return `vec4f(${[0, 1, 2, 3].map(lane => `element(row, ${at} + ${lane})`).join(", ")})`;
  });
}

/** A program that computes a value four numbers at a time; `texel` gives those from a feature on. */
export function writeTexels(
  emitter: Emitter,
  { rows }: Cell,
  shape: readonly number[],
  texel: (env: Env, features: readonly string[]) => string,
): void {
  emitter.function("texel", texelParameters, "vec4f", () => {
    const { env, outer } = emitter.rowEnv("row", rows);
    return texel(env, [...outerIndices(emitter, shape, outer), "column * 4"]);
  });
}

/** A program that computes a value four numbers of four rows at a time; `texels` gives those of rows at these places. */
export function writeFours(
  emitter: Emitter,
  { rows }: Cell,
  shape: readonly number[],
  texels: (places: readonly Place[]) => readonly string[],
): void {
  emitter.rows = 4;
  emitter.function("texels", texelParameters, "mat4f", () => {
    const places = [0, 1, 2, 3].map((i): Place => {
      const { env, outer } = emitter.rowEnv(i === 0 ? "row" : emitter.let("i32", `row + ${i}`, "r"), rows);
      return { env, features: [...outerIndices(emitter, shape, outer), "column * 4"] };
    });
    return `mat4f(${texels(places).join(", ")})`;
  });
}

/** Where a texel of the result is. */
export interface Place {
  readonly env: Env;
  readonly features: readonly string[];
}

export interface Reducing {
  readonly axes: readonly AxisId[];
  readonly batch: boolean;
  /** Sizes of the feature dimensions that are reduced too. */
  readonly sizes: readonly number[];
  /** What is reduced: padding along axes that one of these has is left out. */
  readonly operands: readonly NodeType[];
}

/** Loops over all that is reduced and no padding; `make` gets the indices of the feature dimensions. */
export function reduceOver(
  emitter: Emitter,
  env: Env,
  { axes, batch, sizes, operands }: Reducing,
  make: (env: Env, features: readonly string[]) => void,
): void {
  const batched = operands.filter(type => type.batched);
  const all = [...new Set(batched.flatMap(type => type.axes))];
  // Where examples are added up, padding along every axis counts; else what stands in padding stays there.
  const masked = (batch ? all : axes.filter(axis => all.includes(axis))).filter(axis =>
    emitter.ragged.has(axis),
  );
  const free = axes.filter(axis => !emitter.bound.has(axis));
  const features = (d: number, env: Env, indices: readonly string[]): void => {
    if (d === sizes.length) make(env, indices);
    else if (sizes[d] === 1) features(d + 1, env, [...indices, "0"]);
    else emitter.loop("0", `${sizes[d]}`, i => features(d + 1, env, [...indices, i]));
  };
  const inside = (env: Env): void => {
    const conditions = masked.map(
      axis => `${env.positions.get(axis)} < ${emitter.lengthOf(axis, env.example)}`,
    );
    if (conditions.length === 0) features(0, env, []);
    else emitter.if(conditions.join(" && "), () => features(0, env, []));
  };
  const along = (d: number, env: Env): void => {
    const axis = free[d];
    if (axis === undefined) {
      // Examples stand beside each other in memory.
      if (batch)
        emitter.loop("0", emitter.integer({ kind: "batch" }), example => inside({ ...env, example }));
      else inside(env);
      return;
    }
    emitter.loop("0", emitter.extent(axis), i =>
      along(d + 1, { ...env, positions: new Map(env.positions).set(axis, i) }),
    );
  };
  along(0, env);
}
