// Streams of random numbers for what happens on the host: initial weights, the order of examples. A stream is named,
// its numbers are numbered, and none depends on another having been drawn before.

import { drawNormal, drawUniform } from "../compiler/ops/random.ts";

export interface Draws {
  /** Uniform on (0, 1). */
  uniform(i: number): number;
  /** Standard normal. */
  normal(i: number): number;
}

/** The stream of that name. */
export function draws(seed: number, stream: string): Draws {
  const step = hash(stream);
  const place = (i: number) => ({ seed, step, site: 0, example: i, position: 0, feature: 0 });
  return { uniform: i => drawUniform(place(i)), normal: i => drawNormal(place(i)) };
}

/** FNV-1a, 32 bits, over UTF-8. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}
